"""The deployment's settings, with few partitions: a test that empties all tables is then quick."""

from project.settings import *  # noqa: F403
from project.settings import DATABASES, HITSTREAM

# The same server under a second alias; no router names it.
DATABASES["replica"] = {**DATABASES["default"], "TEST": {"MIRROR": "default"}}
HITSTREAM["PARTITION_DAYS_AHEAD"] = 1
# A 503 is then a fault, and not a busy machine.
HITSTREAM["REQUEST_DEADLINE"] = HITSTREAM["LOOK_UP_DEADLINE"] = 15.0
# Hashing a password as slowly as production does takes up to a second of each sign-in.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Whitenoise finds a static file when a test requests it, not all files for each test client.
WHITENOISE_AUTOREFRESH = True
