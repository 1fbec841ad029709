"""The answers that the front gives itself, before the application sees a request."""

import json
from collections.abc import Iterable

from tracking.current_request import HEADER, usable_id
from tracking.server.front.granian_types import HTTPProtocol, Scope


class RequestRefused(Exception):
    """A request that the front refuses. `close` ends the connection with the answer."""

    status = 400
    code = ""
    message = ""
    retry_after = 0
    close = True

    def send(self, scope: Scope, protocol: HTTPProtocol, *, browsers: bool) -> None:
        """Send the refusal; with `browsers`, a page of any origin may read it."""
        headers = [(HEADER.lower(), usable_id(scope.headers.get(HEADER.lower(), "")))]
        if browsers:
            headers.append(("vary", "Origin"))
            if origin := scope.headers.get("origin"):
                headers.append(("access-control-allow-origin", origin))
                headers.append(("access-control-allow-credentials", "true"))
        self.send_plain(protocol, headers)

    def send_plain(self, protocol: HTTPProtocol, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Send the refusal with these headers beside its own."""
        content = json.dumps({"code": self.code, "message": self.message}).encode()
        own = [("content-type", "application/json")]
        if self.close:
            own.append(("connection", "close"))
        if self.retry_after:
            own.append(("retry-after", str(self.retry_after)))
        protocol.response_bytes(self.status, [*own, *headers], content)


class BrokenBody(RequestRefused):
    """The client left, or broke the framing, before its body was complete."""

    code = "body_incomplete"
    message = "The body ended before it was complete"


class BodyTimeout(RequestRefused):
    status = 408
    code = "body_timeout"
    message = "The body did not arrive in time"


class BodyTooLarge(RequestRefused):
    status = 413
    code = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.message = f"The body is longer than {limit} bytes"


class Overloaded(RequestRefused):
    """Too many requests wait for a thread, or too many large bodies or answers are held."""

    status = 503
    code = "overloaded"
    message = "The server is busy; send this again later"
    retry_after = 5
    close = False
