"""The ingest views of the public HTTP API, and the probes.

The probes are no ingest: they stand here because they must answer without Django's middleware.
"""
