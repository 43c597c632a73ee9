"""Kinds of accounts, journals and postings."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.choices import BadgeChoices


class AccountKind(models.TextChoices):
    """The chart of accounts. A balance is credit-positive: what the broker owes is above zero, what it holds below."""

    CLIENT_WALLET = "client_wallet", _("Client wallet")
    PLATFORM_CLEARING = "platform_clearing", _("Platform clearing")
    PSP_CLEARING = "psp_clearing", _("PSP clearing")
    PSP_RESERVE = "psp_reserve", _("Rolling reserves")
    CLIENT_MONEY_BANK = "client_money_bank", _("Client money bank")
    HOUSE_BANK = "house_bank", _("Company bank")
    FEES = "fees", _("PSP and bank fees")
    IB_COMMISSIONS = "ib_commissions", _("IB commissions (cost)")
    IB_PAYABLE = "ib_commissions_payable", _("IB commissions payable")
    BONUS = "bonus", _("Client credit (bonus)")
    BONUS_COST = "bonus_cost", _("Bonuses (cost)")
    CHALLENGE_FEES = "challenge_fees", _("Challenge fees (income)")
    CHALLENGE_PAYOUTS = "challenge_payouts", _("Challenge payouts (cost)")
    CHARGEBACK_LOSSES = "chargeback_losses", _("Chargeback losses")
    FX_POSITION = "fx_position", _("FX position")
    FX_RESULT = "fx_result", _("FX gains and losses")
    ROUNDING = "rounding", _("Rounding")
    SUSPENSE = "suspense", _("Suspense")
    OPENING_BALANCES = "opening_balances", _("Opening balances")


BOUNDED_KINDS = frozenset({AccountKind.CLIENT_WALLET, AccountKind.BONUS})


class JournalKind(models.TextChoices):
    OPENING = "opening", _("Opening balance")
    DEPOSIT = "deposit", _("Deposit")
    DEPOSIT_HELD = "deposit_held", _("Deposit held")
    WITHDRAWAL = "withdrawal", _("Withdrawal")
    TRANSFER = "transfer", _("Transfer")
    COMMISSION = "commission", _("Commission")
    COMMISSION_PAYOUT = "commission_payout", _("Commission payout")
    REBATE = "rebate", _("Rebate")
    REFUND = "refund", _("Refund")
    CHARGEBACK = "chargeback", _("Chargeback")
    CHARGEBACK_REVERSAL = "chargeback_reversal", _("Chargeback reversed")
    PSP_FEE = "psp_fee", _("PSP fee")
    PSP_SETTLEMENT = "psp_settlement", _("PSP settlement")
    PSP_RESERVE = "psp_reserve", _("Rolling reserve movement")
    BONUS = "bonus", _("Bonus")
    CHALLENGE_FEE = "challenge_fee", _("Challenge fee")
    CHALLENGE_PAYOUT = "challenge_payout", _("Challenge payout")
    FX = "fx", _("Currency exchange")
    ADJUSTMENT = "adjustment", _("Adjustment")
    REVERSAL = "reversal", _("Reversal")


class Phase(BadgeChoices):
    """Two-phase money: a pending journal reserves; it is resolved once, by posting (in full or in part) or voiding."""

    POSTED = "posted", "green", _("Posted")
    PENDING = "pending", "yellow", _("Reserved")
    POST = "post", "green", _("Reservation posted")
    VOID = "void", "secondary", _("Reservation released")


class Layer(models.IntegerChoices):
    """What a posting moves: money, a reservation, or the release of one."""

    MONEY = 0, _("Money")
    RESERVED = 1, _("Reserved")
    RELEASED = 2, _("Released")
