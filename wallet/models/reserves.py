"""Rolling reserves: what PSPs hold back of our money, row by row, and what they released of it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.money.amounts import Money
from wallet.choices.reconciliation import ReserveState
from wallet.models.psp import Psp
from wallet.models.settlements import SettlementRow


class ReserveItem(models.Model):
    """A row of a report by which a PSP held money back (below zero) or released it (above), in minor units.

    Rows with the same `pair` belong together: what was held back and its releases. The pairing is recomputed with every
    report, so that the order of files changes nothing; the ledger has each row's amount, paired or not.
    """

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="reserve_items", db_index=False)
    row = models.OneToOneField(SettlementRow, on_delete=models.PROTECT, related_name="reserve")
    currency = models.CharField(max_length=5)
    amount_minor = models.BigIntegerField()
    at = models.DateTimeField()
    due_on = models.DateField(null=True, help_text=_("When the reserve is due for release"))
    posted_minor = models.BigIntegerField(
        default=0, db_default=0, help_text=_("Posted out of the reserve with second approval, through its break")
    )
    pair = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="members")

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__lt=0, due_on__isnull=False) | Q(amount_minor__gte=0, due_on__isnull=True),
                name="what_is_held_back_has_a_due_day",
            )
        ]
        indexes = [
            models.Index(fields=["psp", "currency"], name="reserves_by_psp"),
            models.Index(fields=["-at", "-id"], name="reserves_in_time"),
        ]

    def __str__(self) -> str:
        return f"{self.money} {self.at:%Y-%m-%d}"

    @property
    def money(self) -> Money:
        return Money.of_minor(self.amount_minor, self.currency)

    @property
    def open_minor(self) -> int:
        """Of the pair: below zero is still held, above was released beyond it. `queries_recon` asks for many at once."""
        known: int | None = getattr(self, "open_of_pair", None)
        if known is not None:
            return known
        left = F("amount_minor") - F("posted_minor")
        rows = (
            ReserveItem.objects.filter(pair_id=self.pair_id) if self.pair_id else ReserveItem.objects.filter(pk=self.pk)
        )
        return rows.aggregate(minor=models.Sum(left))["minor"] or 0

    @property
    def state(self) -> str:
        if not self.open_minor:
            return ReserveState.RELEASED
        return ReserveState.HELD if self.open_minor < 0 else ReserveState.UNEQUAL

    def get_state_display(self) -> str:
        return str(ReserveState(self.state).label)
