"""`make test-hosts` alone runs this folder: each project installs what it needs."""

import os

collect_ignore_glob = [] if os.environ.get("HITSTREAM_TEST_HOSTS") else ["test_*.py"]
