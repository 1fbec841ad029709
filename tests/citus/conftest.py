"""`make test-citus CITUS_URL=…` alone runs this folder: it needs a cluster."""

import os

collect_ignore_glob = [] if os.environ.get("HITSTREAM_TEST_CITUS") else ["test_*.py"]
