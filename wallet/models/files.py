"""The fields of a row with an attached file; the content is stored by `wallet.core.attachments`."""

from __future__ import annotations

from django.db import models


class AttachedFile(models.Model):
    """Name, place and hash of one encrypted file."""

    file_name = models.CharField(max_length=160, blank=True)
    file_path = models.CharField(max_length=200, blank=True)
    file_sha256 = models.CharField(max_length=64, blank=True)
    file_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        abstract = True
