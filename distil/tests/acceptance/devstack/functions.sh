#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What the plugin uses of devstack's functions, as far as it needs them. Accounts are made in a real Keystone.
# Usage: functions.sh PLUGIN_FOLDER PHASE...; environment: TEST_FOLDER, TEST_PYTHON, TEST_DATABASE_URL, TEST_SERVICES.
set -o errexit

log() { echo "$*" >>"$TEST_FOLDER/calls"; }
accounts() { "$TEST_PYTHON" -m distil.tests.acceptance.devstack.accounts "$@"; }

define_plugin() { log define_plugin "$@"; }
enable_service() { TEST_SERVICES="$TEST_SERVICES $1"; }
is_service_enabled() { [[ " $TEST_SERVICES " == *" $1 "* ]]; }
sudo() { "$@"; }

setup_develop() { log setup_develop "$@"; }
get_python_exec_prefix() { dirname "$TEST_PYTHON"; }
setup_logging() { iniset "$1" DEFAULT logging_context_format_string "%(asctime)s %(message)s"; }
iniset() { printf '[%s]\n%s = %s\n' "$2" "$3" "$4" >>"$1"; }

recreate_database() { log recreate_database "$@"; }
database_connection_url() { echo "$TEST_DATABASE_URL"; }

get_or_add_user_project_role() { accounts role "$@"; }
get_or_create_service() { accounts service "$@"; }
create_service_user() {
    accounts user "$1" "$SERVICE_PASSWORD" "$SERVICE_DOMAIN_NAME"
    get_or_add_user_project_role "$2" "$1" "$SERVICE_PROJECT_NAME" "$SERVICE_DOMAIN_NAME" "$SERVICE_DOMAIN_NAME"
}

run_process() { log run_process "$@"; }
stop_process() { log stop_process "$@"; }

folder=$1
shift
# shellcheck source=/dev/null
source "$folder/settings"
# shellcheck source=/dev/null
source "$folder/plugin.sh" "$@"
