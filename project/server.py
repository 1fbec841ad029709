"""The web server's application: `granian --interface rsgi --task-impl asyncio project.server:app`.

HITSTREAM_THREADS       Django's threads in each process (32)
HITSTREAM_MAX_WAITING   requests that may wait for a thread before 503 is answered (1000)
HITSTREAM_BODY_TIMEOUT  seconds for a whole body before 408 is answered (10)
"""

import os

from project.front.rsgi import Front
from project.wsgi import application
from tracking.conf import conf
from tracking.ingest.authentication import answers_at_once
from tracking.ingest.lane import lane
from tracking.ingest.refusals import refusals
from tracking.ingest.store import writer

app = Front(
    application,
    threads=int(os.environ.get("HITSTREAM_THREADS", "32")),
    max_waiting=int(os.environ.get("HITSTREAM_MAX_WAITING", "1000")),
    body_timeout=float(os.environ.get("HITSTREAM_BODY_TIMEOUT", "10")),
    quick=answers_at_once,
    commit_timeout=conf.REQUEST_DEADLINE,
)
app.at_close += [lane.drain, writer.drain, refusals.write]
