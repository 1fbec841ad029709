"""When something is wrong: a rule in, what it finds out. Each looks up a bounded number of rows,
however many hits and deliveries there are."""
