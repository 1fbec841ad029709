"""Integrations as an operator would configure them."""

from typing import Any

from tracking.destinations.contract import registry
from tracking.models import Integration, Token


def add_webhook(
    token: Token,
    url: str = "http://127.0.0.1:9/",
    *,
    name: str = "Webhook",
    config: dict[str, Any] | None = None,
    **fields: Any,
) -> Integration:
    form = registry.get_destination("webhook").Config({"url": url, **(config or {})})
    assert form.is_valid(), form.errors
    integration = Integration(token=token, name=name, destination="webhook", **fields)
    integration.configure(form)
    integration.save()
    return integration
