"""How alerts are told: a Channel for each kind, one a file."""
