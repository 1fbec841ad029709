#!/bin/sh
# Make the secrets of compose.yaml in a folder, one in each file: sh secrets.sh [folder]
# A file that exists stays as it is. Keep a copy elsewhere: without hitstream_secret_keys the
# credentials of the integrations cannot be read.
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
url="postgresql://%s:%s@${POSTGRES_HOST:-postgres}:5432/hitstream"
# shellcheck disable=SC2059
printf "$url" hitstream "$(cat "$folder/app_password")" | make database_url
# shellcheck disable=SC2059
printf "$url" hitstream_owner "$(cat "$folder/owner_password")" | make owner_database_url
printf 'redis://:%s@%s:6379/0' "$(cat "$folder/valkey_password")" "${VALKEY_HOST:-valkey}" |
    make broker_url
# Containers read them as other users.
chmod 644 "$folder"/*
chmod 711 "$folder"
