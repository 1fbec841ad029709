"""Deliveries: the queue, its claims and settlements, attempts, outcomes, dead letters."""
