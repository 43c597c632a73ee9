"""A phase's equity against its limits, day by day: how low it was, and what it must not reach."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.ui.charts import area_chart
from prop.challenges.objectives import floors_of
from prop.choices import LossBy
from prop.models import ChallengeDay, PhaseAccount

DAYS_DRAWN: Final = 61


def chart_of(row: PhaseAccount, days: Sequence[ChallengeDay]) -> SafeString:
    """Draw the lowest equity of the newest server days, of all in their order, with each day's limits and the target.

    Empty before the first day. Of an account that has grown only the last limits are drawn: earlier ones were of another size.
    """
    if not days:
        return SafeString("")
    phase, start, currency = row.phase, row.challenge.balance, row.challenge.currency
    lowest = [start, *(day.lowest_equity for day in days)]
    daily = [None, *(_daily(row, day) for day in days)]
    # As each day began: a trailing limit may rise above what the same day's equity was before.
    after = floors_of(row, days)
    floors: list[Decimal | None] = [after[0], *after[:-1]]
    if row.growth:
        daily[:-1], floors[:-1] = [None] * len(days), [None] * len(days)
    texts = [_("Starting balance: %(amount)s") % {"amount": formats.money(start, currency)}]
    of_days = zip(days, daily[1:], floors[1:], strict=True)
    texts += [_text(day, loss, floor, currency) for day, loss, floor in of_days]
    target = None if phase.target is None else start + start * phase.target / 100
    limits = {"warning": daily, "danger": floors, "success": [target] * len(lowest)}
    newest = slice(-DAYS_DRAWN, None)
    label = _("Lowest equity of each day, with the limits and the target")
    shown = {name: values[newest] for name, values in limits.items()}
    return area_chart(lowest[newest], texts[newest], label=label, limits=shown)


def _daily(row: PhaseAccount, day: ChallengeDay) -> Decimal | None:
    phase = row.phase
    if phase.daily_loss is None:
        return None
    base = day.opening_equity if phase.daily_loss_by == LossBy.EQUITY else day.opening_balance
    return base - row.size * phase.daily_loss / 100


def _text(day: ChallengeDay, daily: Decimal | None, floor: Decimal | None, currency: str) -> str:
    parts = [(_("Lowest equity"), day.lowest_equity), (_("Daily loss"), daily), (_("Maximum loss"), floor)]
    said = [f"{name} {formats.money(value, currency)}" for name, value in parts if value is not None]
    return f"{formats.day(day.day)}: {', '.join(said)}"
