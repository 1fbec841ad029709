"""Tokens: who may send, and with which configuration."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tracking import db
from tracking.conf import conf
from tracking.models.tokens.api_token import ApiToken
from tracking.models.tokens.privacy import IpPolicy, check_origin, random_path

MAX_PATH = 20
#: Breakdowns of a token, each of which adds a row per day, event and value to the rollups, and the
#: characters of their names, at most.
MAX_BREAKDOWNS, MAX_PROPERTY = 10, 100
#: The fields that an operator edits.
CONFIGURED = (
    "name",
    "enabled",
    "expires_at",
    "rate_limit",
    "origins",
    "ip_policy",
    "audience",
    "breakdowns",
)
#: The fields that only `rotate` changes.
SECRETS = ("prefix", "digest", "retiring_prefix", "retiring_digest", "retiring_until")


class TokenQuerySet(models.QuerySet["Token"]):
    def present(self) -> TokenQuerySet:
        """Return the tokens that are not deleted."""
        return self.filter(deleted_at=None)

    def issue(self, name: str, *, by: str = "", **fields: Any) -> tuple[Token, ApiToken]:
        """Create a token. Returns it with its API token, which nothing can show again."""
        secret = ApiToken.generate()
        token = self.model(name=name, prefix=secret.prefix, digest=secret.digest, **fields)
        token.save(by=by)
        return token, secret


class Token(models.Model):
    """The right to send hits, and the owner of the integrations that they go to."""

    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=16, editable=False)
    digest = models.BinaryField(_("digest"), max_length=32, unique=True, editable=False)
    retiring_prefix = models.CharField(
        _("retiring prefix"), max_length=16, blank=True, editable=False
    )
    retiring_digest = models.BinaryField(
        _("retiring digest"), max_length=32, null=True, unique=True, editable=False
    )
    retiring_until = models.DateTimeField(_("retiring until"), null=True, editable=False)
    project_id = models.UUIDField(
        _("project id"),
        default=uuid.uuid4,
        unique=True,
        editable=False,
        help_text=_("Public: names the token in browsers. Not valid for /track."),
    )
    path = models.SlugField(
        _("first-party path"),
        default=random_path,
        unique=True,
        max_length=MAX_PATH,
        editable=False,
        help_text=_("Public, like the project id: a site proxies /f/ and this path to Hitstream."),
    )
    origins = ArrayField(
        models.CharField(max_length=255, validators=(check_origin,)),
        default=list,
        blank=True,
        help_text=_(
            "Allowed origins, one per line: https://shop.example or https://*.shop.example. "
            "Empty: any site."
        ),
        verbose_name=_("origins"),
    )
    ip_policy = models.CharField(
        _("IP addresses"),
        max_length=10,
        choices=IpPolicy.choices,
        default=IpPolicy.KEEP,
        help_text=_("Addresses of clients, and in context.ip. A dropped address is never stored."),
    )
    enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("While the token is disabled, requests get 401.")
    )
    expires_at = models.DateTimeField(
        _("expires at"), null=True, blank=True, help_text=_("From this time on, requests get 401.")
    )
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, editable=False)
    rate_limit = models.PositiveIntegerField(
        _("rate limit (hits/s)"),
        null=True,
        blank=True,
        help_text=_("Above this, 429 with Retry-After. Empty: no limit."),
    )
    audience = ArrayField(
        models.CharField(max_length=150),
        default=list,
        db_default=[],
        blank=True,
        verbose_name=_("restrict access to groups"),
        help_text=_(
            "Group names, one per line. Only members see the token and its hits. Empty: "
            "every user who may view tokens."
        ),
    )
    #: The properties by which analytics breaks events down.
    breakdowns = ArrayField(
        models.CharField(max_length=100),
        default=list,
        db_default=[],
        blank=True,
        verbose_name=_("breakdowns"),
    )
    revision = models.PositiveIntegerField(_("revision"), default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used at"), null=True, editable=False)

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("name",), name="hitstream_token_name", condition=models.Q(deleted_at=None)
            ),
        )
        verbose_name = _("token")
        verbose_name_plural = _("tokens")

    def __str__(self) -> str:
        return f"{self.name} (deleted)" if self.deleted_at else self.name

    def save(self, *args: Any, by: str = "", **kwargs: Any) -> None:
        """Store the configuration and record a revision. This copy may be old, so it does not write
        what other methods change (secrets, revocation)."""
        if not self._state.adding:
            kwargs.setdefault("update_fields", CONFIGURED)
        with db.atomic():
            super().save(*args, **kwargs)
            self.record_revision(by=by)

    @property
    def is_usable(self) -> bool:
        expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.enabled and self.revoked_at is None and not expired

    def revoke(self, *, by: str = "") -> None:
        """Revoke the token for good: none of its API tokens works any more."""
        self.revoked_at = timezone.now()
        self.save(by=by, update_fields=("revoked_at",))

    def mark_deleted(self, *, by: str = "") -> None:
        """Revoke the token, remove it from all lists and free its name. Its hits keep their owner.
        See `tracking.models.operations.delete`, which also deletes its integrations."""
        self.deleted_at = timezone.now()
        self.revoked_at = self.revoked_at or self.deleted_at
        self.save(by=by, update_fields=("deleted_at", "revoked_at"))

    def rotate(self, *, grace: float | None = None, by: str = "") -> ApiToken:
        """Return a new API token; the present one works for `grace` more seconds, an older one no
        longer."""
        self.refresh_from_db(fields=SECRETS)
        secret = ApiToken.generate()
        seconds = conf.ROTATION_GRACE if grace is None else grace
        self.retiring_prefix, self.retiring_digest = self.prefix, self.digest
        self.retiring_until = timezone.now() + timedelta(seconds=seconds)
        self.prefix, self.digest = secret.prefix, secret.digest
        self.save(by=by, update_fields=SECRETS)
        return secret

    def record_revision(self, *, by: str = "", changed: Mapping[str, Any] | None = None) -> None:
        """Record the present configuration as a revision, under a new number if it changed.
        `changed` has the snapshots of integrations that may have changed, by id."""
        self.revisions.record(self, by=by, changed=changed)
