"""The channels of notifications: a Channel for each kind, one file each."""
