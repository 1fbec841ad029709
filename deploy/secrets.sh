#!/bin/sh
# Make the secrets of compose.yaml in a folder, one in each file: sh secrets.sh [folder]
# A file that exists stays as it is. Keep a copy elsewhere: without hitstream_secret_keys the
# credentials of the integrations cannot be read.
#
# POSTGRES  host:port of Postgres (postgres:5432)
# VALKEY    host:port of Valkey (valkey:6379)
set -eu
folder=${1:-secrets}
umask 077
mkdir -p "$folder"

make() {
    test -s "$folder/$1" || cat >"$folder/$1"
}

hex() {
    openssl rand -hex 32
}

hex | make postgres_password
hex | make owner_password
hex | make app_password
hex | make valkey_password
hex | make metrics_token
openssl rand -base64 60 | tr -d '\n' | make django_secret_key
# A Fernet key: 32 bytes in base64 for URLs.
openssl rand -base64 32 | tr '+/' '-_' | make hitstream_secret_keys

url() {
    printf 'postgresql://%s:%s@%s/hitstream' "$1" "$(cat "$folder/$2")" "${POSTGRES:-postgres:5432}"
}

url hitstream app_password | make database_url
url hitstream_owner owner_password | make owner_database_url
printf 'redis://:%s@%s/0' "$(cat "$folder/valkey_password")" "${VALKEY:-valkey:6379}" |
    make broker_url
# Containers read the files as other users; nobody else enters the folder.
chmod 644 "$folder"/*
chmod 700 "$folder"
