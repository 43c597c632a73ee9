from django.db import models
from django.utils.translation import gettext_lazy as _


class FxRate(models.Model):
    """A day's mid rate: 1 EUR = `rate` units of `currency`. Of most the ECB's reference rate of that day."""

    on = models.DateField()
    currency = models.CharField(max_length=5)
    rate = models.DecimalField(max_digits=22, decimal_places=12)
    source = models.CharField(max_length=40, default="ECB")
    loaded_at = models.DateTimeField(null=True, help_text=_("When the source last supplied it"))

    class Meta:
        ordering = ["-on", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["currency", "on"], name="one_fx_rate_per_currency_and_day"),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="fx_rate_is_positive"),
        ]

    def __str__(self) -> str:
        return f"EUR/{self.currency} {self.rate} ({self.on})"


class FxFeed(models.Model):
    """Where rates come from, as the settings name it, and how it went the last time."""

    name = models.CharField(max_length=40, unique=True)
    checked_at = models.DateTimeField()
    succeeded_at = models.DateTimeField(null=True)
    latest_on = models.DateField(null=True, help_text=_("Day of the newest rate supplied"))
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
