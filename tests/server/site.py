"""A small Django site behind the front, for the tests: `granian tests.server.site:app`."""

import os
import sys
import time
from collections.abc import Iterator
from itertools import count
from threading import Thread
from threading import enumerate as enumerate_threads

import django
import psutil
from django.conf import settings
from django.core.signals import request_finished
from django.core.wsgi import get_wsgi_application
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path

from tracking.server.front.body import OTHER, Limit
from tracking.server.front.rsgi import Front

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={},
    MIDDLEWARE=[],
    ROOT_URLCONF=__name__,
    SECRET_KEY="tests",
)
django.setup()

finished = {"requests": 0}
slept = {"requests": 0}
streamed = {"chunks": 0, "closed": 0}


def count_finished(**signal: object) -> None:
    finished["requests"] += 1


request_finished.connect(count_finished)


def track(request: HttpRequest) -> HttpResponse:
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    # Django reads nothing where no length is known, as behind a cut body's limit.
    seen = {"length": length, "read": len(request.META["wsgi.input"].read())}
    return JsonResponse(seen, status=400 if max(seen.values()) > 65_536 else 200)


def meta(request: HttpRequest) -> HttpResponse:
    shown = {key: value for key, value in request.META.items() if isinstance(value, str)}
    return JsonResponse({**shown, "scheme": request.scheme, "body": request.body.decode()})


def is_ours(thread: Thread) -> bool:
    return thread.name.startswith(("ingest-", "pages-"))


def stats(request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        {
            "threads": sum(1 for each in enumerate_threads() if is_ours(each)),
            **finished,
            **streamed,
            "slept": slept["requests"],
        }
    )


def slow(request: HttpRequest) -> HttpResponse:
    slept["requests"] += 1
    time.sleep(float(request.GET["seconds"]))
    return HttpResponse("slept")


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(open(os.environ["SITE_FILE"], "rb"))


def large(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"x" * int(request.GET["size"]))


def endless(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(b"x" * 100_000 for _ in count())


def memory(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"rss": psutil.Process().memory_info().rss})


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def chunks() -> Iterator[bytes]:
        try:
            for number in count():
                streamed["chunks"] = number + 1
                yield b"chunk %d\n" % number
                if str(number) == request.GET.get("last"):
                    return
                time.sleep(0.05)
        finally:
            streamed["closed"] += 1

    return StreamingHttpResponse(chunks())


def fail(request: HttpRequest) -> HttpResponse:
    raise SystemError("on purpose")


def refuse_headers(request: HttpRequest) -> HttpResponse:
    response = HttpResponse()
    response.headers["not a name"] = "x"
    return response


urlpatterns = [
    path("track", track),
    path("track/", track),
    path("meta", meta),
    path("méta/ü", meta),
    path("stats", stats),
    path("slow", slow),
    path("stream", stream),
    path("file", file),
    path("large", large),
    path("endless", endless),
    path("memory", memory),
    path("fail", fail),
    path("refuse-headers", refuse_headers),
]

INGEST = Limit(65_536, ingest=True, browsers=True)


def limit_of(path: str) -> Limit:
    return INGEST if path.rstrip("/") == "/track" else OTHER


app = Front(
    get_wsgi_application(),
    threads=4,
    ingest_threads=2,
    max_waiting=8,
    body_timeout=1.0,
    answer_timeout=2.0,
    limit_of=limit_of,
)
app.at_close.append(lambda: sys.stderr.write(f"closed after {finished['requests']} requests\n"))
