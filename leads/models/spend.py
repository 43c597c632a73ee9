"""What was spent on campaigns, by day."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models import User
from leads.choices import AdNetwork
from leads.models.campaigns import Campaign


class CampaignSpend(models.Model):
    """What one network's campaign cost on one day, per country where the network reports it.

    `amount` is in the base currency of the campaign's brand, at the reference rate of the day; `charged` is what the network
    charged, in its currency. A file replaces the days of the network's campaigns that are in it.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="spend", db_index=False)
    day = models.DateField()
    network = models.CharField(max_length=8, choices=AdNetwork.choices)
    network_campaign = models.CharField(max_length=200, blank=True, help_text=_("Its name at the ad network"))
    country = models.CharField(max_length=2, blank=True, help_text=_("Empty: not reported by country"))
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    charged = models.DecimalField(max_digits=18, decimal_places=2)
    charged_currency = models.CharField(max_length=5)
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    entered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-day", "-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "day", "network", "network_campaign", "country"],
                name="one_spend_per_campaign_day_and_country",
            ),
            models.CheckConstraint(condition=models.Q(amount__gte=0, charged__gte=0), name="spend_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.day}"
