from tests.destinations.case import Case, read_lines

CASE = Case(
    config={
        "service": "s3",
        "bucket": "hits",
        "batch_size": 3,
        "format": "ndjson",
        "endpoint": "{url}",
        "access_key": "AKIA0",
        "secret_key": "secret-access-key",
    },
    read=read_lines,
)
