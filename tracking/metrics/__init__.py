"""Prometheus metrics. All of them are read from Postgres, so every process reports the same."""
