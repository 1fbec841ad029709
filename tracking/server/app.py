"""The web server's application, which `hitstream web` starts."""

from django.conf import settings
from django.urls import reverse

# First: it loads the apps, which the others need.
from tracking.server.wsgi import application

# isort: split

from tracking import process
from tracking.conf import conf
from tracking.ingest.routes import ROUTES
from tracking.ingest.write.readiness import readiness
from tracking.ingest.write.spool import spool
from tracking.server import pulse, ready, telemetry
from tracking.server.front.body import OTHER, Limit
from tracking.server.front.rsgi import Front

ROOT = reverse("hitstream:track").removesuffix("track")
LIMITS = {
    f"{ROOT}{route.path}": Limit(
        route.max_body,
        ingest=True,
        browsers=route.view.for_browsers,
        on_loop=not route.view.waits,
    )
    for route in ROUTES
}
#: Routes whose paths end in a parameter.
NAMED = {path.partition("<")[0]: limit for path, limit in LIMITS.items() if path.endswith(">")}


def limit_of(path: str) -> Limit:
    """Return the limit of the route, with or without a trailing slash."""
    path = path.removesuffix("/")
    return LIMITS.get(path) or NAMED.get(path[: path.rfind("/") + 1], OTHER)


app = Front(
    application,
    **settings.WEB,
    limit_of=limit_of,
    commit_timeout=conf.REQUEST_DEADLINE,
)
# It needs its connection before Postgres may have no more.
app.at_open.append(readiness.begin)
app.at_open.append(spool.current)
app.at_open.append(telemetry.start)
app.at_open.append(pulse.start)
app.at_open.append(ready.announce)
app.at_close.append(process.shutdown)
# It watches the last hits, too.
app.at_close.append(telemetry.stop)
