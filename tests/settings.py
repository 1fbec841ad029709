"""The deployment's settings, with few partitions: a test that empties all tables is then quick."""

from project.settings import *  # noqa: F403
from project.settings import HITSTREAM

HITSTREAM["PARTITION_DAYS_AHEAD"] = 1
