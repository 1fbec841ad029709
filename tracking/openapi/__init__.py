"""The ingest routes as an OpenAPI document, and a page to read and try them.

No other room imports this one: the hot path does not know its description. It needs the extra
`hitstream[openapi]`; unless the project includes its URLs, nothing here is imported.
"""
