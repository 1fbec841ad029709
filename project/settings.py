"""The settings of `make run`: those of the deployment, with the embedded servers and the secrets in
`var/` where the environment names no Postgres of its own."""

import os

from project.embedded.paths import broker_url, database_url, is_external, read_secret
from tracking.server.environment import DEFAULTS

#: Commands work before the first `make run`. The prefix lets `check --deploy` complain.
NO_KEY_YET = "django-insecure-before-the-first-make-run"

DEFAULTS["BROKER_URL"] = broker_url()
if not is_external(os.environ):
    DEFAULTS["DATABASE_URL"] = database_url()
    DEFAULTS["DJANGO_SECRET_KEY"] = read_secret("secret_key") or NO_KEY_YET
    DEFAULTS["HITSTREAM_SECRET_KEYS"] = read_secret("secret_keys") or ""
    DEFAULTS["HITSTREAM_ALLOW_PRIVATE_DESTINATIONS"] = (
        read_secret("allow_private_destinations") or ""
    )

from tracking.server.settings import *  # noqa: E402, F403 (only once the defaults are known)

#: Where `make messages` writes what it finds in `tracking/` and `templates/`.
LOCALE_PATHS = ["tracking/locale"]
