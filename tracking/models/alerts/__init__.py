"""Alerts, their rules, channels and notifications."""
