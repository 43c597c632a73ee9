"""Banners of a brand, and how often each was seen and clicked by a partner's link and day."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm.models import Brand, User
from ib.models.partners import ReferralLink

SIDE_MIN, SIDE_MAX = 50, 2_000


class Material(models.Model):
    """A banner as it was rebuilt on upload; its picture never changes, a new one is a new banner."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="materials")
    name = models.CharField(max_length=80)
    language = models.CharField(max_length=8, blank=True, help_text="Empty: for all languages")
    alt = models.CharField(max_length=160, help_text="Read out to people who can't see the picture")
    page = models.CharField(max_length=60, blank=True, help_text="Slug of the landing page; empty: registration")
    content = models.BinaryField()
    content_type = models.CharField(max_length=20)
    sha256 = models.CharField(max_length=64)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    is_active = models.BooleanField(default=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["brand", "sha256"], name="a_banner_is_uploaded_once_per_brand"),
            models.CheckConstraint(
                condition=Q(width__gte=SIDE_MIN, width__lte=SIDE_MAX, height__gte=SIDE_MIN, height__lte=SIDE_MAX),
                name="banner_sides_are_within_bounds",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_page(self) -> bool:
        """Whether it is an HTML5 banner, shown in a frame."""
        return self.content_type == "text/html"

    @property
    def size(self) -> str:
        """Width and height as designers write them."""
        return f"{self.width} × {self.height}"


class MaterialDay(models.Model):
    """Views and clicks of a banner through a partner's link on one day (UTC)."""

    material = models.ForeignKey(Material, on_delete=models.PROTECT, related_name="days")
    link = models.ForeignKey(ReferralLink, on_delete=models.PROTECT, related_name="material_days")
    day = models.DateField()
    views = models.PositiveIntegerField(default=0)
    clicks = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(fields=["link", "material", "day"], name="one_row_per_banner_link_and_day")
        ]

    def __str__(self) -> str:
        return f"{self.material_id} {self.day}"
