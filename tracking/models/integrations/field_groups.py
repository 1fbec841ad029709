"""The fields of an integration, by what they decide."""

#: The fields that decide what is sent, and how.
SENDING = (
    "enabled",
    "event_names",
    "ordered",
    "concurrency",
    "rate_limit",
    "max_attempts",
    "max_age",
    "retry_base",
    "keep_bodies",
)
#: The fields that an error of the configuration is about.
DECIDING = ("config", "secrets", "mapping")
#: The fields that an operator edits.
CONFIGURED = ("name", "handle", "config", "secrets", "mapping", *SENDING)
