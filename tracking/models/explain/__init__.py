"""What the console explains: the history of a hit, the timeline, the audit log, search."""
