"""What Prometheus is told. All of it is read from Postgres, so every process says the same."""
