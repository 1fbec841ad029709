"""Tokens: API tokens, privacy rules, revisions of the configuration."""
