#!/bin/sh
# Makes the secrets of compose.yaml, in docker/secrets: one file each, for you only.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir secrets
random() { od -An -tx1 -N32 /dev/urandom | tr -d ' \n'; }
for name in database_password mlflow_admin_password mlflow_session_key ray_token; do
    random > "secrets/$name"
done
# What MLflow's clients read in ~/.mlflow/credentials.
printf '[mlflow]\nmlflow_tracking_username = admin\nmlflow_tracking_password = %s\n' \
    "$(cat secrets/mlflow_admin_password)" > secrets/mlflow_credentials
# The containers' user has another number than yours: the folder is what keeps others out.
chmod 444 secrets/*
