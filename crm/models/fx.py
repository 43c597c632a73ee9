from django.db import models


class FxRate(models.Model):
    """The ECB's euro reference rate of a day: 1 EUR = `rate` units of `currency`."""

    on = models.DateField()
    currency = models.CharField(max_length=5)
    rate = models.DecimalField(max_digits=18, decimal_places=8)
    source = models.CharField(max_length=40, default="ECB")

    class Meta:
        ordering = ["-on", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["currency", "on"], name="one_fx_rate_per_currency_and_day"),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="fx_rate_is_positive"),
        ]

    def __str__(self) -> str:
        return f"EUR/{self.currency} {self.rate} ({self.on})"
