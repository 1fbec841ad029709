"""The answers that the front gives itself, before the application sees a request."""

import json

from project.front.granian_types import HTTPProtocol, Scope


class RequestRefused(Exception):
    """A request that the front refuses. `close` ends the connection with the answer."""

    status = 400
    code = ""
    message = ""
    retry_after = 0
    close = True

    def send(self, scope: Scope, protocol: HTTPProtocol, *, browsers: bool) -> None:
        """Send the refusal; with `browsers`, a page of any origin may read it."""
        content = json.dumps({"code": self.code, "message": self.message}).encode()
        headers = [("content-type", "application/json")]
        if self.close:
            headers.append(("connection", "close"))
        if self.retry_after:
            headers.append(("retry-after", str(self.retry_after)))
        if browsers:
            headers.append(("vary", "Origin"))
            if origin := scope.headers.get("origin"):
                headers.append(("access-control-allow-origin", origin))
                headers.append(("access-control-allow-credentials", "true"))
        protocol.response_bytes(self.status, headers, content)


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
    """Too many requests wait for a thread, or too many large bodies are held."""

    status = 503
    code = "overloaded"
    message = "The server is busy; send this again later"
    retry_after = 5
    close = False
