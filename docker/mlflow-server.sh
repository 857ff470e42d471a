#!/bin/sh
# An MLflow server on PostgreSQL, with users and passwords; its arguments go on to `mlflow server`.
#
#   SECRETS    folder of three files: database_password, mlflow_admin_password, mlflow_session_key
#   DATABASE   user@host:port/name of the database, without the password
#   ARTIFACTS  folder (or s3://...) of the artifacts, which the server serves
#
# No secret stands in a command. MLflow takes the session's key from its environment only, so that
# it stands there, and nowhere before this script.
set -eu
umask 077
secret() { cat "$SECRETS/$1"; }

private="$HOME/.mlflow-server"
mkdir -p "$private"
# libpq reads a password only from a file that nobody else may read, which a container's secret is not.
printf '*:*:*:*:%s\n' "$(secret database_password | sed 's/[\\:]/\\&/g')" > "$private/pgpass"
# A password is checked slowly, by design; a sweep asks often, and is remembered for a minute.
cat > "$private/auth.ini" << end
[mlflow]
default_permission = READ
database_uri = postgresql+psycopg://$DATABASE
admin_username = admin
admin_password = $(secret mlflow_admin_password | sed 's/%/%%/g')
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
end
export PGPASSFILE="$private/pgpass" MLFLOW_AUTH_CONFIG_PATH="$private/auth.ini"
MLFLOW_FLASK_SERVER_SECRET_KEY=$(secret mlflow_session_key)
# Of its processes that run jobs for language models a sweep needs none, and each takes 250 MB.
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
export MLFLOW_FLASK_SERVER_SECRET_KEY MLFLOW_DISABLE_TELEMETRY=true

exec mlflow server --app-name basic-auth --backend-store-uri "postgresql+psycopg://$DATABASE" \
    --artifacts-destination "$ARTIFACTS" "$@"
