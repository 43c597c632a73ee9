"""Kinds and states of AML monitoring, with labels, badge colours and transitions."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class MovementKind(models.TextChoices):
    DEPOSIT = "deposit", _("Deposit")
    WITHDRAWAL = "withdrawal", _("Withdrawal")
    # A withdrawal that was rejected, cancelled or failed: the money is back in the wallet.
    WITHDRAWAL_BACK = "withdrawal_back", _("Withdrawal refused")
    CHARGEBACK = "chargeback", _("Chargeback")
    REFUND = "refund", _("Refund")
    # What a client won from another, or lost to them, by repeated opposite trades (`compliance.aml.opposite`).
    TRADE_GAIN = "trade_gain", _("Gain by opposite trades")
    TRADE_LOSS = "trade_loss", _("Loss by opposite trades")


class MovementMethod(models.TextChoices):
    """How money moved; the kinds of payment service providers."""

    CARD = "card", _("Card")
    WALLET = "wallet", _("E-wallet")
    BANK = "bank", _("Bank transfer")
    CRYPTO = "crypto", _("Crypto")
    CASHIER = "cashier", _("Local method")
    TRADE = "trade", _("Trading")


OF_TRADES = (MovementKind.TRADE_GAIN, MovementKind.TRADE_LOSS)


class Severity(BadgeChoices):
    LOW = "low", "azure", _("Low")
    MEDIUM = "medium", "yellow", _("Medium")
    HIGH = "high", "red", _("High")


# What an alert adds to the score by which cases are sorted.
SEVERITY_POINTS = {Severity.LOW: 10, Severity.MEDIUM: 30, Severity.HIGH: 60}


class VersionState(BadgeChoices):
    """The life of a rule's version."""

    DRAFT = "draft", "secondary", _("Draft")
    SHADOW = "shadow", "indigo", _("Shadow")
    LIVE = "live", "green", _("Live")
    RETIRED = "retired", "secondary", _("Retired")


VERSION_TRANSITIONS: dict[str, set[str]] = {
    VersionState.DRAFT: {VersionState.SHADOW, VersionState.LIVE, VersionState.RETIRED},
    VersionState.SHADOW: {VersionState.LIVE, VersionState.RETIRED},
    VersionState.LIVE: {VersionState.RETIRED},
    VersionState.RETIRED: set(),
}
RUNNING = (VersionState.SHADOW, VersionState.LIVE)


class RuleAct(models.TextChoices):
    """What a second person agrees to."""

    GO_LIVE = "go_live", _("Go live")
    RETIRE = "retire", _("Retire")


class CaseState(BadgeChoices):
    OPEN = "open", "yellow", _("Open")
    NO_SUSPICION = "no_suspicion", "green", _("No suspicion")
    MONITORED = "monitored", "indigo", _("Monitored")
    RESTRICTED = "restricted", "orange", _("Restricted")


CASE_TRANSITIONS: dict[str, set[str]] = {
    CaseState.OPEN: {CaseState.NO_SUSPICION, CaseState.MONITORED, CaseState.RESTRICTED},
    CaseState.NO_SUSPICION: set(),
    CaseState.MONITORED: set(),
    CaseState.RESTRICTED: set(),
}
