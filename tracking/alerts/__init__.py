"""Alerts: `evaluate` raises them, `notify` announces each once."""
