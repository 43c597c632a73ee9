"""What would have to change for trades like an unpaid one to be paid, in a sentence for the partner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ib.choices import Reason

REMEDIES: Final[Mapping[Reason, Promise]] = {
    Reason.HELD_TOO_SHORT: _("Trades held at least as long as the plan states are paid."),
    Reason.HOLD_UNKNOWN: _("Nothing to do: it’s calculated again once the platform reports the opening."),
    Reason.SYMBOL_NOT_MAPPED: _("We assign the symbol to a group; then the commission is added."),
    Reason.NO_RATE: _("Ask your partner manager for a rate for this symbol group."),
    Reason.ACCOUNT_GROUP: _("Trades on the account types that the plan covers are paid."),
    Reason.SELF_TRADE: _("Only your clients’ trades are paid."),
    Reason.PARTNER_NOT_ACTIVE: _("Trades closed while your partner account is active are paid."),
    Reason.NO_PLAN: _("Ask your partner manager for a plan."),
    Reason.BEYOND_LEVELS: _("Ask your partner manager for a plan that pays at this level."),
    Reason.NO_FX: _("Nothing to do: it’s calculated again once the exchange rate is known."),
    Reason.NO_DIFFERENCE: _("Your rate has to exceed what the partner below earns."),
    Reason.TOO_FEW_PIPS: _("Trades whose price moves at least as far as the plan states are paid."),
    Reason.SYMBOL_EXCLUDED: _("Trades on other symbols are paid."),
    Reason.COUNTRY_EXCLUDED: _("Trades of clients from other countries are paid."),
    Reason.SHARED_DEVICE: _("Trades of clients who sign in with devices and networks of their own are paid."),
    Reason.HEDGED: _("Trades without an opposite position of the same client are paid."),
    Reason.MIRRORED: _("Trades without an opposite position of another of your clients are paid."),
    Reason.BONUS_FUNDED: _("Positions opened with at least as much balance as bonus credit are paid."),
    Reason.NOTHING_CHARGED: _("Trades on accounts that are charged a commission are paid."),
    Reason.CAP_UPLINE: _("Trades on which the broker earns more also pay higher levels."),
    Reason.NO_REVENUE: _("Months in which the client brings revenue are paid."),
    Reason.NOTHING_CLOSED: _("It’s paid from the client’s first closed trade on."),
}


def remedy(reason: str) -> str:
    """Say what would have to change; "" for a correction, which is no reason to be unpaid."""
    found = REMEDIES.get(Reason(reason))
    return str(found) if found else ""
