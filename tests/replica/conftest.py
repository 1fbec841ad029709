"""`make test-replica` alone runs this folder: it starts a second cluster."""

import os

collect_ignore_glob = [] if os.environ.get("HITSTREAM_TEST_REPLICA") else ["test_*.py"]
