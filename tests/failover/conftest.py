"""`make test-failover` alone runs this folder: it takes minutes."""

import os

collect_ignore_glob = [] if os.environ.get("HITSTREAM_TEST_FAILOVER") else ["test_*.py"]
