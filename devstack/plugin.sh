#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs and runs Distil Collector. devstack sources this file in each phase; see README.rst.

_XTRACE_DISTIL=$(set +o | grep xtrace)
set +o xtrace

function install_distil {
    setup_develop "$DISTIL_DIR"
}

function configure_distil {
    sudo install -d -o "$STACK_USER" "$DISTIL_CONF_DIR"
    install -m 644 "$DISTIL_DIR"/etc/distil/*.yml "$DISTIL_CONF_DIR"
    # The file contains passwords.
    install -m 600 /dev/null "$DISTIL_CONF"
    setup_logging "$DISTIL_CONF"
    iniset "$DISTIL_CONF" DEFAULT debug "$ENABLE_DEBUG_LOG_LEVEL"
    iniset "$DISTIL_CONF" database connection "$(database_connection_url distil)"
    configure_distil_collector
    configure_distil_identity
}

function configure_distil_collector {
    iniset "$DISTIL_CONF" collector meter_mappings_file "$DISTIL_CONF_DIR/meter_mappings.yml"
    iniset "$DISTIL_CONF" collector transformer_file "$DISTIL_CONF_DIR/transformer.yml"
    iniset "$DISTIL_CONF" collector max_collection_start_age "$DISTIL_COLLECTION_START_AGE"
    iniset "$DISTIL_CONF" collector max_windows_per_cycle "$DISTIL_COLLECTION_START_AGE"
    iniset "$DISTIL_CONF" collector enable_exporter true
    iniset "$DISTIL_CONF" collector exporter_port "$DISTIL_EXPORTER_PORT"
    iniset "$DISTIL_CONF" gnocchi meters_file "$DISTIL_CONF_DIR/gnocchi_meters.yml"
    iniset "$DISTIL_CONF" prometheus meters_file "$DISTIL_CONF_DIR/prometheus_meters.yml"
}

# Not configure_keystone_authtoken_middleware, because a collector does not validate tokens or use memcached.
function configure_distil_identity {
    local group=keystone_authtoken
    iniset "$DISTIL_CONF" $group auth_type password
    iniset "$DISTIL_CONF" $group auth_url "$KEYSTONE_SERVICE_URI"
    iniset "$DISTIL_CONF" $group username distil
    iniset "$DISTIL_CONF" $group password "$SERVICE_PASSWORD"
    iniset "$DISTIL_CONF" $group user_domain_name "$SERVICE_DOMAIN_NAME"
    iniset "$DISTIL_CONF" $group project_name "$SERVICE_PROJECT_NAME"
    iniset "$DISTIL_CONF" $group project_domain_name "$SERVICE_DOMAIN_NAME"
    iniset "$DISTIL_CONF" $group region_name "$REGION_NAME"
    if is_service_enabled tls-proxy; then
        iniset "$DISTIL_CONF" $group cafile "$SSL_BUNDLE_FILE"
    fi
}

function create_distil_accounts {
    create_service_user distil admin
    if is_service_enabled swift; then
        get_or_add_user_project_role ResellerAdmin distil "$SERVICE_PROJECT_NAME" \
            "$SERVICE_DOMAIN_NAME" "$SERVICE_DOMAIN_NAME"
    fi
    get_or_create_service distil rating "Usage collection"
}

function init_distil {
    recreate_database distil
    "$DISTIL_BIN_DIR/distil-db-manage" --config-file "$DISTIL_CONF" upgrade head
}

function start_distil {
    run_process distil-collector "$DISTIL_BIN_DIR/distil-collector --config-file $DISTIL_CONF"
}

function stop_distil {
    stop_process distil-collector
}

function cleanup_distil {
    sudo rm -rf "$DISTIL_CONF_DIR"
}

DISTIL_BIN_DIR=$(get_python_exec_prefix)

if is_service_enabled distil-collector; then
    case "$1 $2" in
        "stack install")
            install_distil
            ;;
        "stack post-config")
            configure_distil
            create_distil_accounts
            init_distil
            ;;
        "stack extra")
            start_distil
            ;;
        "unstack ")
            stop_distil
            ;;
        "clean ")
            cleanup_distil
            ;;
    esac
fi

$_XTRACE_DISTIL
