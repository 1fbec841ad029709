"""Hits, their dedup keys, duplicates, imports and daily partitions."""
