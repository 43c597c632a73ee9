"""What a breach was judged by, as its evidence keeps it: the samples before and after."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from crm.money.amounts import from_minor
from prop.judge.days import to_time
from prop.models import Breach


@dataclass(frozen=True, slots=True)
class EvidenceSample:
    """One sample of an account's money, as it was read."""

    label: str
    at: dt.datetime
    balance: Decimal
    equity: Decimal


def samples_of(breach: Breach, currency: str) -> list[EvidenceSample]:
    """List the samples that a breach lies between; those that are missing are left out."""
    shown = []
    for name, label in (("before", _("Sample before")), ("after", _("Sample after"))):
        point = breach.evidence.get(name)
        if point:
            balance, equity = (from_minor(point[figure], currency) for figure in ("balance", "equity"))
            shown.append(EvidenceSample(label, to_time(point["at"]), balance, equity))
    return shown
