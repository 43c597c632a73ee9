"""What an anomaly says, as a person reads it: what was seen, what was expected, how rare that is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.i18n.localized_text import VALUE_TEXTS, LocalizedText, Phrase, value_phrase
from crm.money.amounts import Money
from monitoring.anomalies.signals import SIGNALS, Form
from monitoring.choices import Queue, Watched
from monitoring.models import Anomaly

MILLIONTHS = 1_000_000


def subject_of(row: Anomaly) -> LocalizedText:
    """Name what an anomaly is about."""
    if row.queue is not None:
        return Queue(row.queue).label
    if row.method is not None:
        return f"{row.method} ({row.method.psp})"
    return str(row.client or row.partner or row.psp or row.server)


def subject_url(row: Anomaly) -> str:
    """Return the page of what an anomaly is about."""
    if row.client_id or row.partner_id:
        return str((row.client or row.partner).get_absolute_url())  # type: ignore[union-attr]
    psp_id = row.psp_id or (row.method.psp_id if row.method else None)
    if psp_id:
        return f"/money/psps/{psp_id}/health/"
    return "/trading/health/" if row.server_id else "/events/"


def figure(form: str, value: float, currency: str) -> str:
    """Write a figure in the reader's language: money, lots, a share, seconds, or a number."""
    if form == Form.MONEY:
        return formats.money(Money(Decimal(round(value)), currency), is_whole=True)
    if form == Form.LOTS:
        return _("%(lots)s lots") % {"lots": formats.number(round(value, 2))}
    if form == Form.SHARE:
        return f"{formats.number(round(100 * value))} %"
    if form == Form.AVERAGE:  # tenths of a second
        return formats.duration(value / 10) if value >= 600 else f"{formats.number(round(value / 10, 1))} s"
    if form == Form.AGE:
        return formats.duration(round(value))
    return formats.number(round(value))


def in_words(facts: dict[str, Any]) -> str:
    """Write the sentence of an anomaly from its stored facts."""
    signal = SIGNALS[Watched(facts["signal"])]
    whole = facts["trials"] if signal.is_ratio and facts["trials"] else 1
    observed, expected = (
        figure(signal.form, facts[name] / whole, facts["currency"]) for name in ("observed", "expected")
    )
    values = {
        "signal": signal.code.label,
        "observed": observed,
        "expected": expected,
        "over": over(signal.is_service, facts["slots"]),
        "count": formats.number(round(facts["observed"])),
        "trials": formats.number(round(facts["trials"])),
    }
    if signal.form == Form.SHARE:
        return _("%(signal)s: %(observed)s (%(count)s of %(trials)s) %(over)s; expected %(expected)s") % values
    return _("%(signal)s: %(observed)s %(over)s; expected %(expected)s") % values


def over(is_service: bool, slots: int) -> str:
    """Write over which time figures were seen."""
    if is_service:
        return _("in %(time)s") % {"time": formats.duration(slots * 600)}
    if slots == 1:
        return _("in one day")
    return _("in %(days)s days") % {"days": formats.number(slots)}


def how_rare(probability: float, *, is_service: bool) -> str:
    """Write of how many such times one is as far out; never more than a million, which no past holds."""
    times = min(1 / max(probability, 1 / MILLIONTHS), MILLIONTHS)
    rounded = formats.number(int(round(times, 1 - len(str(int(times))))))
    if is_service:
        return _("at most 1 in %(count)s such periods") % {"count": rounded}
    return _("at most 1 in %(count)s such days") % {"count": rounded}


VALUE_TEXTS["monitoring.anomaly"] = in_words


def facts_of(row: Anomaly) -> dict[str, Any]:
    """Return what the sentence of an anomaly is made of."""
    names = ("signal", "observed", "expected", "slots", "trials")
    return {**{name: getattr(row, name) for name in names}, "currency": row.brand.base_currency}


def sentence(row: Anomaly) -> Phrase:
    """Phrase an anomaly for a notice that each person reads in their own language."""
    return value_phrase("monitoring.anomaly", facts_of(row))
