"""The pictures that a brand shows on its pages."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.people import Brand, User


class BrandLook(models.Model):
    """Logo and picture of a brand, rebuilt on upload. Their versions are on the brand: pages ask for nothing else."""

    brand = models.OneToOneField(Brand, on_delete=models.PROTECT, related_name="look")
    logo = models.BinaryField(default=b"", blank=True, help_text=_("PNG or SVG"))
    picture = models.BinaryField(default=b"", blank=True, help_text=_("PNG or SVG"))
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["brand_id"]
        permissions = [("manage_brand_look", "May change colours, logo and picture of a brand's pages")]

    def __str__(self) -> str:
        return f"{self.brand_id}"
