"""When a margin level is low: each brand's levels, and the crossings that were reported."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from crm.models import Brand
from trading.choices import MarginSeverity
from trading.models.accounts import MONEY, TradingAccount

LEVEL: dict[str, Any] = {"max_digits": 7, "decimal_places": 2}


class MarginPolicy(models.Model):
    """A brand's margin levels in per cent. A crossing is reported once; it is over when the level is `hysteresis` points above."""

    brand = models.OneToOneField(Brand, on_delete=models.PROTECT, related_name="margin_policy")
    is_enabled = models.BooleanField(_("Monitor margin levels"), default=True)
    warning_at = models.DecimalField(_("Warning below (%)"), **LEVEL, default=120)
    call_at = models.DecimalField(_("Margin call below (%)"), **LEVEL, default=100)
    stop_at = models.DecimalField(_("Stop-out below (%)"), **LEVEL, default=50)
    hysteresis = models.DecimalField(
        _("Recovery margin (percentage points)"),
        **LEVEL,
        default=10,
        help_text=_("A level that moves around a limit is reported only once."),
    )
    tells_client = models.BooleanField(_("Notify the client in the client portal"), default=True)
    writes_letters = models.BooleanField(_("E-mail the client"), default=True)
    tells_agent = models.BooleanField(_("Notify the client's agent"), default=True)
    includes_demo = models.BooleanField(_("Include demo accounts"), default=False)
    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "margin policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(warning_at__gt=F("call_at"), call_at__gt=F("stop_at"), stop_at__gt=0),
                name="margin_levels_descend",
            ),
            models.CheckConstraint(condition=Q(hysteresis__gte=0), name="margin_hysteresis_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.brand}: {self.warning_at:g} / {self.call_at:g} / {self.stop_at:g} %"


class MarginAlert(models.Model):
    """An account's level fell through a limit. Open until it has recovered, and one per limit while open."""

    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="margin_alerts", db_index=False)
    severity = models.CharField(max_length=8, choices=MarginSeverity.choices)
    limit = models.DecimalField(**LEVEL, help_text=_("Limit at that time, in percent"))
    level = models.DecimalField(max_digits=14, decimal_places=2, help_text=_("Margin level at that time, in percent"))
    equity = models.DecimalField(**MONEY)
    margin = models.DecimalField(**MONEY)
    at = models.DateTimeField()
    recovered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "severity"],
                condition=Q(recovered_at__isnull=True),
                name="one_open_margin_alert_per_limit",
            )
        ]
        indexes = [models.Index(fields=["account", "-id"], name="margin_alerts_of_an_account")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.severity} {self.level} %"
