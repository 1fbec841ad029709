"""The ingest routes as an OpenAPI document, and a page to read and try them.

A room of its own, told to nobody else: the hot path does not know that it is described. It needs
the extra `hitstream[openapi]`; without its urls in the project nothing here is imported.
"""
