"""What a month lacks before it is closed, beside movements on their way: sources, owners, fees, rates, client money."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.money import Money
from crm.ui import formats
from wallet.bank_choices import EntryState
from wallet.bank_positions import covered_days
from wallet.checklist import COUNT_MAX, Check, end_of_month, few
from wallet.models import AnnouncedReport, BankEntry, ClientMoneyDay, Period, Psp, PspMovement, SourceRun
from wallet.month_choices import Cover, RunState, SourceKind
from wallet.psp import adapter_of
from wallet.reconciliation_choices import ReportState
from wallet.report_expectations import Span, as_spans, lacking_days, spans_of
from wallet.revaluation import revaluation_of
from wallet.source_runs import Source, gaps, sources_of

# Fees that a report of the month names and that are in no journal: of rows that matched nothing, and of the PSP itself.
UNPOSTED_FEES = """
SELECT r.currency, sum(r.fee_minor)::bigint, count(*)
FROM wallet_settlementrow r JOIN wallet_settlementimport i ON i.id = r.report_id
JOIN wallet_psp s ON s.id = i.psp_id AND s.brand_id = %(brand)s
WHERE i.first_day <= %(last)s AND i.last_day >= %(first)s AND r.booked_at >= %(since)s AND r.booked_at < %(until)s
  AND r.fee_minor <> 0 AND NOT r.is_repeat AND r.type NOT IN ('merchant_payout', 'fee')
  AND NOT EXISTS (SELECT 1 FROM wallet_match m WHERE m.row_id = r.id AND m.leg = 'psp')
  AND NOT EXISTS (SELECT 1 FROM wallet_break b JOIN wallet_breakposting p ON p.one_id = b.id AND p.state = 'approved'
    AND p.way = 'own_bank' WHERE b.row_id = r.id)
GROUP BY r.currency ORDER BY r.currency
"""


# So long after a month's end reports of its last days are announced.
ANNOUNCED_UNTIL = dt.timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Missing:
    """A source without its own word for some days of the month. report: which one, of a PSP that writes several."""

    source: Source
    periods: tuple[tuple[dt.date, dt.date], ...]
    is_whole_month: bool = False
    report: str | Promise = ""

    @property
    def words(self) -> str:
        name = f"{self.source.label} ({self.report})" if self.report else self.source.label
        if self.is_whole_month:
            return _("%(source)s the whole month") % {"source": name}
        spans = ", ".join(
            formats.day(first) if first == last else f"{formats.day(first)} – {formats.day(last)}"
            for first, last in self.periods
        )
        return f"{name}: {spans}"


def last_due(period: Period) -> dt.date | None:
    """The last day of the month that is over: of days to come nothing can be missing. None while its first day lasts."""
    last = min(period.last_day, timezone.now().date() - dt.timedelta(days=1))
    return last if last >= period.first_day else None


def due_from(period: Period) -> dt.date | None:
    """The first day of the month that is not over; None when all are."""
    today = timezone.now().date()
    return max(today, period.first_day) if today <= period.last_day else None


def missing_sources(period: Period) -> list[Missing]:
    """Which sources say nothing about which days: PSPs and banks by their files, servers by their daily runs.

    Only days that are over are owed. A PSP owes each of its reports only for movements that would stand in it.
    """
    until = last_due(period)
    if until is None:
        return []
    moved: dict[int, set[str]] = defaultdict(set)
    for psp_id, kind in (
        PspMovement.objects.filter(
            psp__brand_id=period.brand_id, occurred_at__gte=_midnight(period.first_day), occurred_at__lt=end_of_month(period)
        )
        .order_by()
        .values_list("psp_id", "kind")
        .distinct()
    ):  # fmt: skip
        moved[psp_id].add(kind)
    found = []
    for source in sources_of([period.brand]):
        for report, lacking in _lacking(source, period, until, moved):
            if lacking:
                whole = lacking == [(period.first_day, period.last_day)]
                found.append(Missing(source, tuple(lacking), whole, report))
    return found


def _lacking(
    source: Source, period: Period, until: dt.date, moved: dict[int, set[str]]
) -> Iterator[tuple[str | Promise, list[Span]]]:
    """What a source owes, by report, and the days up to `until` of which it has not spoken."""
    if source.kind == SourceKind.PLATFORM:
        good = SourceRun.objects.filter(
            **source.key, day__range=(period.first_day, until), state__in=[RunState.AGREES, RunState.BREAKS]
        )  # fmt: skip
        yield "", gaps([(day, day) for day in good.values_list("day", flat=True)], period.first_day, until)
        return
    psp = source.psp
    assert psp is not None
    if source.kind == SourceKind.BANK:
        spans = covered_days(psp)
        if spans or _was_there(psp, period):
            yield "", gaps(spans, period.first_day, until)
        return
    kinds = adapter_of(psp).report_kinds()
    for kind in kinds:
        has_moved, name = bool(kind.movements & moved[psp.pk]), kind.label if len(kinds) > 1 else ""
        if kind.is_daily:
            if has_moved:
                yield name, as_spans(lacking_days(psp, kind, period.first_day, until))
            continue
        spans = spans_of(psp, kind)
        if has_moved or any(last >= period.first_day for _first, last in spans):
            yield name, gaps(spans, period.first_day, until)


def _was_there(psp: Psp, period: Period) -> bool:
    return psp.is_enabled and psp.created_at < end_of_month(period)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)


def unknown_payments(period: Period) -> Any:
    """Bookings at the bank that nobody has said whose they are."""
    return BankEntry.objects.filter(
        Q(state__in=[EntryState.UNMATCHED, EntryState.WAITING]), psp__brand_id=period.brand_id,
        booked_on__lte=period.last_day,
    )  # fmt: skip


def unposted_fees(period: Period) -> list[Money]:
    with connection.cursor() as cursor:
        cursor.execute(
            UNPOSTED_FEES,
            {"brand": period.brand_id, "first": period.first_day, "last": period.last_day,
             "since": _midnight(period.first_day), "until": end_of_month(period)},
        )  # fmt: skip
        return [Money.of_minor(minor, currency) for currency, minor, _count in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class ClientMoneyState:
    """How far client money is computed in a month."""

    days: int
    computed: int
    short: int

    @property
    def lacking(self) -> int:
        return self.days - self.computed


# The first instant at which a client of the brand had money here.
FIRST_MONEY = """
SELECT min(p.posted_at) FROM wallet_account a JOIN wallet_posting p ON p.account_id = a.id AND p.version = 1
WHERE a.brand_id = %s AND a.kind = 'client_wallet'
"""


def client_money_state(period: Period) -> ClientMoneyState:
    """Days before the brand's first client money owe nothing, and days that are not over."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_MONEY, [period.brand_id])
        began = cursor.fetchone()[0]
    if began is None or began >= end_of_month(period):
        return ClientMoneyState(0, 0, 0)
    first, until = max(period.first_day, began.astimezone(dt.UTC).date()), last_due(period)
    if until is None or until < first:
        return ClientMoneyState(0, 0, 0)
    found = list(
        ClientMoneyDay.objects.filter(brand_id=period.brand_id, day__range=(first, until))
        .order_by("day", "currency", "-version")
        .distinct("day", "currency")
        .values_list("day", "cover")
    )
    return ClientMoneyState(
        (until - first).days + 1, len({day for day, _cover in found}),
        len({day for day, cover in found if cover == Cover.SHORT}),
    )  # fmt: skip


# ── as checks ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _sources(period: Period) -> Check:
    missing = missing_sources(period)
    words = _("Days without a report or statement: %(what)s.") % {"what": "; ".join(one.words for one in missing[:6])}
    return Check(
        gettext_lazy("Every source has spoken"), len(missing), words if missing else "", reverse("wallet:money_sources"), False
    )  # fmt: skip


def _announced(period: Period) -> Check:
    """Reports that PSPs said are ready and that are not here, and such as never came."""
    rows = AnnouncedReport.objects.filter(
        psp__brand_id=period.brand_id, state__in=[ReportState.WAITING, *ReportState.needs_somebody()],
        announced_at__gte=_midnight(period.first_day), announced_at__lt=end_of_month(period) + ANNOUNCED_UNTIL,
    ).filter(Q(day__isnull=True) | Q(day__lte=period.last_day))  # fmt: skip
    found = list(rows.select_related("psp").defer("psp__sealed_credentials").order_by("psp__name", "pk")[:COUNT_MAX])
    names = ", ".join(f"{one.psp}: {one.name}" for one in found[:4])
    words = _("Announced reports that are not here: %(names)s.") % {"names": names} if found else ""
    url = reverse("wallet:psp_health", args=[found[0].psp_id]) if found else ""
    return Check(gettext_lazy("Announced reports are here"), len(found), words, url, False)


def _unknown_payments(period: Period) -> Check:
    count = few(unknown_payments(period))
    words = _("Payments at the bank without an owner: %(count)s.") % {"count": count} if count else ""
    return Check(
        gettext_lazy("Every payment has an owner"), count, words, reverse("wallet:bank") + "?state=unmatched", False
    )  # fmt: skip


def _fees(period: Period) -> Check:
    sums = unposted_fees(period)
    words = (
        _("Fees in reports that no journal has: %(sums)s.") % {"sums": ", ".join(map(formats.money, sums))}
        if sums
        else ""
    )
    return Check(
        gettext_lazy("Fees are posted"), len(sums), words, reverse("wallet:breaks") + "?state=open", False
    )  # fmt: skip


def _revaluation(period: Period) -> Check:
    found = revaluation_of(period)
    label = gettext_lazy("Foreign currencies are revalued")
    if found.missing:
        words = _("No reference rate for %(currencies)s.") % {"currencies": ", ".join(found.missing)}
        return Check(label, len(found.missing), words, "", False)
    if found.is_fine:
        return Check(label, 0, "", "", False)
    words = _("The FX position is worth %(money)s at the rates of the last day.") % {
        "money": formats.money(found.result_money)
    }
    url = reverse("wallet:manual_journal", args=[found.waiting.pk]) if found.waiting else ""
    return Check(label, 1, words, url, False)


def _client_money(period: Period) -> Check:
    found = client_money_state(period)
    words = []
    if found.lacking:
        words.append(_("Client money is not computed for %(count)s days.") % {"count": found.lacking})
    if found.short:
        words.append(_("Client money was short on %(count)s days.") % {"count": found.short})
    url = reverse("wallet:client_money", args=[period.brand.code]) + f"?month={period}"
    return Check(gettext_lazy("Client money is covered"), found.lacking + found.short, " ".join(words), url, False)


MONTH_CHECKS: tuple[Callable[[Period], Check], ...] = (
    _sources, _announced, _unknown_payments, _fees, _revaluation, _client_money,
)  # fmt: skip
