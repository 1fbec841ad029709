"""The import of a file of hits, with its progress, so that it resumes where it ended."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from tracking.models.tokens.token import Token


class FileImport(models.Model):
    """An import. Each step is committed together with its hits: a killed import repeats no hit and
    leaves none out.

    `digest` is the SHA-256 of the file. `lines` counts the finished lines, those without a hit
    included.
    """

    token = models.ForeignKey(Token, on_delete=models.PROTECT, related_name="imports")
    name = models.CharField("file", max_length=255)
    digest = models.BinaryField(max_length=32, editable=False)
    lines = models.PositiveBigIntegerField(default=0)
    stored = models.PositiveBigIntegerField(default=0)
    duplicate = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("token", "digest"), name="hitstream_fileimport_file"),
        )

    def __str__(self) -> str:
        return f"{self.name} into {self.token}"
