"""What holds for all operations: the introduction, the headers, the ways to name a token."""

from __future__ import annotations

from typing import Any

ABOUT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Hitstream",
        "version": "1",
        "description": (
            "Send hits. **A 2xx is true:** it means that the hit is committed, together with every "
            "delivery that it queues. Where the deployment has a spool, and while Postgres is "
            "away, it means that the hit is on the disk of the node that answers.\n\n"
            'Errors are `{"code": …, "message": …}`; a code never changes its meaning. After a 429 '
            "or a 503 send the hit again once `Retry-After` has passed, with the same id: it is "
            "stored once.\n\n"
            "Every route answers with and without a slash at the end, and never redirects.\n\n"
            "**Browsers** may call all of them but the probes. `OPTIONS` returns 204, and echoes "
            "the requested headers in `Access-Control-Allow-Headers`. Every answer of a route for "
            "hits, refusals included, has `Vary: Origin` and, where the request has an `Origin`, "
            "that in `Access-Control-Allow-Origin`, `Access-Control-Allow-Credentials: true` and "
            "`Access-Control-Expose-Headers: Retry-After`. No cookie is read or set."
        ),
    },
    "tags": [
        {"name": "Hits", "description": "The public HTTP API."},
        {"name": "Browsers", "description": "What a page sends without a secret."},
        {"name": "Segment", "description": "For the SDKs that people already have."},
        {"name": "Segment, short", "description": "The same by their first letter."},
        {"name": "RudderStack", "description": "What its SDKs request beyond Segment's routes."},
        {"name": "Probes", "description": "For load balancers and Prometheus."},
        {"name": "Jitsu", "description": "The same events, where its SDK sends them."},
    ],
}

HEADERS: dict[str, Any] = {
    "Allow": {
        "description": "Allowed methods.",
        "required": True,
        "schema": {"type": "string", "examples": ["POST, OPTIONS"]},
    },
    "Retry-After": {
        "description": "Seconds to wait before the same is sent again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1, "maximum": 300},
    },
    "WWW-Authenticate": {
        "description": "Never Basic, which makes browsers ask their user.",
        "required": True,
        "schema": {"const": "ApiToken"},
    },
}

SECURITY: dict[str, Any] = {
    "apiToken": {
        "type": "http",
        "scheme": "basic",
        "description": "The API token as the user name; the password stays empty.",
    },
    "writeKey": {
        "type": "http",
        "scheme": "basic",
        "description": "A project id, or an API token, as the user name; the password stays empty.",
    },
    "writeKeyInQuery": {
        "type": "apiKey",
        "in": "query",
        "name": "writeKey",
        "description": "A project id, or an API token. It may also be `writeKey` in the body.",
    },
    "jitsuWriteKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Write-Key",
        "description": "`key:secret` or `key`: a project id, or an API token where a secret is.",
    },
    "metricsToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The setting METRICS_TOKEN; not needed from where METRICS_FOR says.",
    },
}
