#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Creates the user and the database openstack_citest for the tests in the MariaDB (or MySQL) and the PostgreSQL on
# loopback. It can be run repeatedly. Set DB_ROOT_PW if the database administrators have a password.

set -u

USER_NAME=openstack_citest
USER_PW=openstack_citest
DATABASE=openstack_citest
DB_ROOT_PW=${DB_ROOT_PW:-}
failures=0

say() { echo "test-setup: $*"; }

could_not() {
    say "$*" >&2
    failures=$((failures + 1))
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Sets $way to the first client command that can log in.
first_that_works() {
    local probe=$1 candidate
    shift
    for candidate in "$@"; do
        if $candidate "$probe" </dev/null >/dev/null 2>&1; then
            way=$candidate
            return 0
        fi
    done
    return 1
}

set_up_mysql() {
    local client
    client=$(command -v mariadb || command -v mysql) || { could_not "MariaDB: no client is installed"; return; }
    [ -n "$DB_ROOT_PW" ] && export MYSQL_PWD=$DB_ROOT_PW
    first_that_works "--execute=SELECT(1)" "$client --user=root" "$client --user=root --host=127.0.0.1" \
        "sudo -n -E $client --user=root" || { could_not "MariaDB: root cannot log in (is DB_ROOT_PW right?)"; return; }
    if $way <<SQL
CREATE USER IF NOT EXISTS '$USER_NAME'@'localhost' IDENTIFIED BY '$USER_PW';
CREATE USER IF NOT EXISTS '$USER_NAME'@'127.0.0.1' IDENTIFIED BY '$USER_PW';
ALTER USER '$USER_NAME'@'localhost' IDENTIFIED BY '$USER_PW';
ALTER USER '$USER_NAME'@'127.0.0.1' IDENTIFIED BY '$USER_PW';
GRANT ALL PRIVILEGES ON *.* TO '$USER_NAME'@'localhost';
GRANT ALL PRIVILEGES ON *.* TO '$USER_NAME'@'127.0.0.1';
CREATE DATABASE IF NOT EXISTS $DATABASE CHARACTER SET utf8mb4;
SQL
    then say "MariaDB: user and database $DATABASE are there"
    else could_not "MariaDB: user or database $DATABASE could not be created"
    fi
}

set_up_postgresql() {
    command -v psql >/dev/null || { could_not "PostgreSQL: no client is installed"; return; }
    [ -n "$DB_ROOT_PW" ] && export PGPASSWORD=$DB_ROOT_PW
    local options="--no-psqlrc --quiet --no-password --set=ON_ERROR_STOP=1"
    first_that_works "--command=SELECT" "psql $options --host=127.0.0.1 --username=postgres --dbname=postgres" \
        "runuser --user postgres -- psql $options --dbname=postgres" \
        "sudo -n -u postgres psql $options --dbname=postgres" \
        || { could_not "PostgreSQL: postgres cannot log in (is DB_ROOT_PW right?)"; return; }
    if $way <<SQL
SELECT 'CREATE ROLE $USER_NAME' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$USER_NAME') \gexec
ALTER ROLE $USER_NAME WITH LOGIN CREATEDB PASSWORD '$USER_PW';
SELECT 'CREATE DATABASE $DATABASE OWNER $USER_NAME'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '$DATABASE') \gexec
SQL
    then say "PostgreSQL: user and database $DATABASE are there"
    else could_not "PostgreSQL: user or database $DATABASE could not be created"
    fi
}

if listens 3306; then set_up_mysql; else could_not "MariaDB: nothing listens on 127.0.0.1:3306"; fi
if listens 5432; then set_up_postgresql; else could_not "PostgreSQL: nothing listens on 127.0.0.1:5432"; fi
exit $((failures > 0))
