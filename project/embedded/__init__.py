"""The servers that `make run` starts: a Postgres and a Valkey, on unix sockets only."""
