"""The servers that `make run` brings along: a Postgres and a Valkey, on unix sockets only."""
