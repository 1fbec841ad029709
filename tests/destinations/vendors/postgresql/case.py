from tests.destinations.case import Case, read_lines

CASE = Case(
    config={
        "host": "db.example",
        "database": "warehouse",
        "user": "loader",
        "password": "password-secret",
        "sslmode": "require",
        "batch_size": 3,
    },
    read=read_lines,
)
