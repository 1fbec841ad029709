"""Who may see and do what: groups and scopes."""
