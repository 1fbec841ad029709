"""Integrations: configuration, encrypted credentials, pauses."""
