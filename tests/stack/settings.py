"""The deployment's settings, with times that the tests do not wait long for."""

from project.settings import *  # noqa: F403
from project.settings import HITSTREAM

HITSTREAM["TOKEN_CACHE_SECONDS"] = 1.0
# Together less than the four seconds that the tests allow: a busy machine is no fault.
HITSTREAM["REQUEST_DEADLINE"], HITSTREAM["LOOK_UP_DEADLINE"] = 2.5, 1.0
HITSTREAM["LEASE_SLACK"] = 6.0
# Those that the copied cluster has.
HITSTREAM["PARTITION_DAYS_AHEAD"] = 1
