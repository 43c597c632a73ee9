"""Closed positions and trades of two clients that stood against each other, for the measure of opposite trades."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from clients.models import Client
from crm.models import Brand


class AmlClosedPosition(models.Model):
    """A position that a client closed on an account with real money, as it was when its closing was read. Never changed.

    `source` names it in trading, as in "17:5001" for an account's id and the platform's position. `volume` is in units of the
    symbol (lots × contract size), `net_base` everything that it brought in the brand's base currency.
    """

    source = models.CharField(max_length=60, unique=True)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    login = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32, help_text="Without what a server adds to it")
    is_long = models.BooleanField()
    volume = models.DecimalField(max_digits=28, decimal_places=8)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField()
    net_base = models.DecimalField(max_digits=20, decimal_places=2)

    class Meta:
        ordering = ["-closed_at", "-id"]
        indexes = [models.Index(fields=["brand", "symbol", "opened_at"], name="aml_positions_to_match")]
        constraints = [
            models.CheckConstraint(
                condition=Q(volume__gt=0, closed_at__gte=F("opened_at")), name="aml_position_closed_after_it_opened"
            )
        ]

    def __str__(self) -> str:
        return self.source


class AmlOppositeTrade(models.Model):
    """Two positions of two clients that stood against each other: what one lost is about what the other won.

    `amount` is what moved from one to the other: the smaller of loss and gain, in the brand's base currency. `is_streamed`: it is
    in the stream of movements of both, because the same two did it again.
    """

    won = models.ForeignKey(AmlClosedPosition, on_delete=models.PROTECT, related_name="+", db_index=False)
    lost = models.ForeignKey(AmlClosedPosition, on_delete=models.PROTECT, related_name="+", db_index=False)
    winner = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    loser = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(help_text="When the later of the two was closed")
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    is_streamed = models.BooleanField(default=False)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["winner", "loser", "at"], name="aml_opposite_trades_of_two")]
        constraints = [
            models.UniqueConstraint(fields=["won", "lost"], name="opposite_trade_is_kept_once"),
            models.CheckConstraint(
                condition=~Q(winner=F("loser")) & Q(amount__gt=0), name="opposite_trade_moves_money_to_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.loser_id} → {self.winner_id}"
