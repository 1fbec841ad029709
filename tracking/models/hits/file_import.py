"""The import of a file of hits, with its progress, so that it resumes where it ended."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tracking.models.tokens.token import Token

#: How long an import that has not finished counts as one that goes on.
GIVEN_UP = timedelta(days=1)


class FileImportQuerySet(models.QuerySet["FileImport"]):
    def active(self, within: timedelta) -> FileImportQuerySet:
        """Return the imports that go on, or finished within this time. One that was broken off
        less than a day ago counts as one that goes on."""
        now = timezone.now()
        return self.filter(
            Q(finished_at__gte=now - within) | Q(finished_at=None, started_at__gte=now - GIVEN_UP)
        )


class FileImport(models.Model):
    """An import. Each step is committed together with its hits: a killed import repeats no hit and
    leaves none out.

    `digest` is the SHA-256 of the file. `lines` counts the finished lines, those without a hit
    included.
    """

    token = models.ForeignKey(
        Token, on_delete=models.PROTECT, related_name="imports", verbose_name=_("token")
    )
    name = models.CharField(_("file"), max_length=255)
    digest = models.BinaryField(_("digest"), max_length=32, editable=False)
    lines = models.PositiveBigIntegerField(_("lines"), default=0)
    stored = models.PositiveBigIntegerField(_("stored"), default=0)
    duplicate = models.PositiveBigIntegerField(_("duplicate"), default=0)
    refused = models.PositiveBigIntegerField(_("refused"), default=0)
    started_at = models.DateTimeField(_("started at"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    objects = FileImportQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("token", "digest"), name="hitstream_fileimport_file"),
        )
        verbose_name = _("file import")
        verbose_name_plural = _("file imports")

    def __str__(self) -> str:
        return f"{self.name} into {self.token}"
