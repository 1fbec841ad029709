"""Whether a hit is for an integration, and why not.

The SQL function hitstream_is_routed (in the first migration) decides the same for whole batches.
"""
