from tests.destinations.case import Case, read_lines

CASE = Case(
    config={
        "host": "mq.example",
        "tls": "on",
        "vhost": "shop",
        "user": "hitstream",
        "password": "password-secret",
        "exchange": "hits",
        "routing_key": "hits.{type}",
        "batch_size": 3,
    },
    read=read_lines,
)
