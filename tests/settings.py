"""The deployment's settings, with few partitions: a test that empties all tables is then quick."""

from project.settings import *  # noqa: F403
from project.settings import HITSTREAM

HITSTREAM["PARTITION_DAYS_AHEAD"] = 1
# Hashing a password as slowly as production does takes up to a second of each sign-in.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
