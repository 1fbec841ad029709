"""The welcome in the log once everything runs: the address, the login, and a first hit to send."""

import os

from project.embedded.paths import is_external, read_secret, var_directory
from project.embedded.secret import PASSWORD, TOKEN

EVENT = '{"event":{"name":"Registered","plan":"pro","user":{"userId":"u1"}}}'


def welcome(url: str, seconds: float) -> str:
    var = var_directory()
    if is_external(os.environ):
        return f"ready in {seconds:.1f} s\n\n  Console {url}/console/\n  Admin   {url}/admin/\n"
    password = read_secret(PASSWORD)
    login = (
        f"user admin, first password {password} (kept in {var / PASSWORD})"
        if password
        else "with your own superuser"
    )
    return f"""ready in {seconds:.1f} s

  Console {url}/console/
  Admin   {url}/admin/
          {login}
  Token   {read_secret(TOKEN)} (kept in {var / TOKEN})
  Try it  curl -i -u {read_secret(TOKEN)}: -H 'Content-Type: application/json' \
-d '{EVENT}' {url}/track

Ctrl-C stops everything; the data stays in {var}
"""
