"""Upkeep: maintenance, retention, disk usage, heartbeats, reconciliation."""
