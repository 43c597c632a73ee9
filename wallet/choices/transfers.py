"""States of transfers and exchanges."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class Direction(models.TextChoices):
    TO_TRADING = "to_trading", _("Wallet to trading account")
    TO_WALLET = "to_wallet", _("Trading account to wallet")


class QuoteFor(models.TextChoices):
    """What a quoted rate may be used for."""

    EXCHANGE = "exchange", _("Between wallets")
    TO_TRADING = "to_trading", _("Wallet to trading account")
    TO_WALLET = "to_wallet", _("Trading account to wallet")


class ExchangeState(BadgeChoices):
    SETTLED = "settled", "green", _("Done")


class TransferState(BadgeChoices):
    SENDING = "sending", "blue", _("Sending")
    UNKNOWN = "unknown", "orange", _("Status unknown on the platform")
    SETTLED = "settled", "green", _("Done")
    FAILED = "failed", "red", _("Failed, money returned")


TRANSFER_TRANSITIONS: dict[str, set[str]] = {
    TransferState.SENDING: {TransferState.UNKNOWN, TransferState.SETTLED, TransferState.FAILED},
    TransferState.UNKNOWN: {TransferState.SETTLED, TransferState.FAILED},
    TransferState.SETTLED: set(),
    TransferState.FAILED: set(),
}
