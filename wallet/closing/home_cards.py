"""Finance's home: withdrawals that wait, what needs attention, cover, balances at PSPs, breaks, and the sources' reports."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.tables import name_or_number
from crm.i18n import formats
from crm.models import User
from crm.money.amounts import from_minor
from crm.security.scope import reach_of
from crm.ui.cards import Bar, BarsCard, ListCard, ListRow
from crm.ui.day_counts import CURVE_DAYS, age_text, count_text, last_days
from crm.ui.kpis import Kpi, once_per_page
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import AccountKind
from wallet.choices.month_end import Cover, RunState
from wallet.choices.psp import InboxState, Verdict
from wallet.choices.reconciliation import BreakKind, BreakState, ReportState
from wallet.choices.withdrawals import WITHDRAWAL_OPEN, WITHDRAWAL_UNDECIDED, WithdrawalState
from wallet.core import queries
from wallet.core.limits import limit
from wallet.core.rollup import Total, rollup_of
from wallet.ledger import posting
from wallet.models import Account, ClientMoneyDay, SourceRun, Withdrawal
from wallet.reconciliation.queries import announced_visible_to
from wallet.transfers import rate_watch

ROWS = 6
COUNT_MAX = 1_000
NEWEST = 2_000
# Up to each of these hours, and the rest.
AGES = (4, 24, 72)
RUN_DAYS = 3
COVER_DAYS = 14
TONES = {Cover.SHORT: "danger", Cover.TRANSIT: "warning", Cover.COVERED: "success"}
RUN_TONES = {RunState.FAILED: "danger", RunState.MISSING: "warning", RunState.BREAKS: "warning"}


@dataclass(frozen=True)
class Waiting:
    """A withdrawal that waits for a decision, with its worth in the reader's currency."""

    requested_at: dt.datetime
    worth: Total


def _waiting(user: User) -> list[Waiting]:
    def read() -> list[Waiting]:
        rollup = rollup_of(user)
        rows = queries.withdrawals_visible_to(user).filter(state__in=WITHDRAWAL_UNDECIDED, part=1)
        values = rows.order_by("requested_at").values_list("requested_at", "base_amount", "brand__base_currency")
        return [Waiting(at, rollup.of(amount or Decimal(0), code)) for at, amount, code in values[:COUNT_MAX]]

    return once_per_page(user, "wallet.waiting", read)  # type: ignore[no-any-return]


def withdrawals_to_decide(user: User) -> Kpi:
    """Make the card of the withdrawals that wait: their sum, how many, and how many waited a week ago."""
    waiting, rollup = _waiting(user), rollup_of(user)
    then = timezone.now() - dt.timedelta(days=7)
    newest = queries.withdrawals_visible_to(user).filter(part=1).order_by("-pk")
    asked, before = [], 0
    for state, at, approved_at, finished_at in newest.values_list(
        "state", "requested_at", "approved_at", "finished_at"
    )[:NEWEST]:
        asked.append(timezone.localtime(at).date())
        is_open = state in WITHDRAWAL_UNDECIDED or max(filter(None, (approved_at, finished_at)), default=at) > then
        before += at <= then and is_open
    count = len(waiting)
    worth = sum((row.worth for row in waiting), Total())
    facts = ngettext("%(count)s request · oldest %(age)s", "%(count)s requests · oldest %(age)s", count) % {
        "count": count_text(count, COUNT_MAX),
        "age": age_text(waiting[0].requested_at if waiting else None),
    }
    return Kpi(
        label=_("Withdrawals to decide"),
        value=rollup.figure(worth),
        url=f"{reverse('wallet:withdrawals')}?{_states(WITHDRAWAL_UNDECIDED)}",
        icon="hand-coins",
        now=count,
        before=before,
        versus=_("requests vs a week ago"),
        is_more_better=False,
        hint=" · ".join(filter(None, (rollup.missing(worth), facts))),
        trend=[asked.count(day) for day in last_days(CURVE_DAYS)],
        tone="warning",
    )


def _states(states: Sequence[str]) -> str:
    return "&".join(f"state={state}" for state in states)


def oldest_withdrawals(user: User) -> ListCard:
    """List the withdrawals that have waited longest; red once the brand's promise is broken."""
    rows: QuerySet[Withdrawal] = queries.withdrawals_visible_to(user).filter(state__in=WITHDRAWAL_UNDECIDED, part=1)
    now = timezone.now()
    return ListCard(
        title=_("Withdrawals, oldest first"),
        rows=[
            ListRow(
                title=name_or_number(row.client),
                url=reverse("wallet:withdrawal", args=[row.pk]),
                note=f"{row.get_state_display()} · {row.psp.name}",
                end=formats.money(from_minor(row.request_minor, row.currency), row.currency),
                end_note=age_text(row.requested_at),
                tone=_lateness(row, now),
                is_person=True,
            )
            for row in rows.select_related("client", "psp", "brand")
            .defer("client__search_text", "psp__sealed_credentials", "sealed_destination")
            .order_by("requested_at", "pk")[:ROWS]
        ],
        icon="list-checks",
        url=reverse("wallet:withdrawal_queue"),
        empty=_("No withdrawals to decide"),
        empty_text=_("Withdrawals that clients request appear here."),
    )


def _lateness(row: Withdrawal, now: dt.datetime) -> str:
    hours, promised = (now - row.requested_at).total_seconds() / 3600, limit(row.brand, "withdrawal_sla_hours")
    return "danger" if hours >= promised else "warning" if hours * 2 >= promised else ""


def pending_by_age(user: User) -> BarsCard:
    """Sum the withdrawals that wait by how long they have waited."""
    now, rollup = timezone.now(), rollup_of(user)
    sums: list[list[Total]] = [[] for _age in (*AGES, None)]
    for row in _waiting(user):
        hours = (now - row.requested_at).total_seconds() / 3600
        sums[sum(hours >= upper for upper in AGES)].append(row.worth)
    totals = [sum(worths, Total()) for worths in sums]
    labels = [*(_("under %(hours)s hours") % {"hours": upper} for upper in AGES), _("longer")]
    return BarsCard(
        title=_("Pending withdrawals by age"),
        bars=[
            Bar(label, float(total.amount), reverse("wallet:withdrawal_queue"), f"{len(worths)} · {rollup.text(total)}")
            for label, worths, total in zip(labels, sums, totals, strict=True)
        ]
        if _waiting(user)
        else [],
        icon="hourglass",
        url=reverse("wallet:withdrawal_queue"),
        empty=_("No withdrawals to decide"),
        empty_text=_("Withdrawals that clients request appear here."),
    )


# ── needs attention ──────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Matter:
    """One kind of thing that somebody has to look at."""

    label: str
    count: int
    url: str
    tone: str = "warning"


def _matters(user: User) -> list[Matter]:
    def read() -> list[Matter]:
        week = timezone.now() - dt.timedelta(days=7)
        refused = (
            queries.webhook_counts_visible_to(user).filter(day__gte=week.date()).exclude(verdict=Verdict.DUPLICATE)
        )
        stuck = queries.webhooks_visible_to(user).filter(
            verdict=Verdict.ACCEPTED, state__in=[InboxState.FAILED, InboxState.UNMATCHED]
        )
        held = queries.deposits_visible_to(user).filter(state=DepositState.HELD)
        unknown = queries.withdrawals_visible_to(user).filter(state=WithdrawalState.UNKNOWN)
        breaks = queries.breaks_visible_to(user).filter(state=BreakState.OPEN)
        reports = announced_visible_to(user).filter(state__in=ReportState.needs_somebody())
        webhooks = reverse("wallet:webhooks")
        return [
            Matter(
                _("Payouts with unknown status"),
                _few(unknown),
                f"{reverse('wallet:withdrawals')}?state={WithdrawalState.UNKNOWN}",
                "danger",
            ),
            Matter(_("Held deposits"), _few(held), f"{reverse('wallet:deposits')}?state={DepositState.HELD}"),
            Matter(_("Open breaks"), _few(breaks), f"{reverse('wallet:breaks')}?state={BreakState.OPEN}"),
            Matter(_("Missing or failed reports"), _few(reports), reverse("wallet:psps")),
            Matter(
                _("Webhooks without a payment"),
                _few(stuck),
                f"{webhooks}?verdict={Verdict.ACCEPTED}&state={InboxState.FAILED}&state={InboxState.UNMATCHED}",
            ),
            Matter(
                _("Rejected webhooks, 7 days"),
                refused.aggregate(n=Sum("received", default=0))["n"],
                reverse("wallet:psps"),
            ),
            Matter(_("Stale rate feeds"), len(rate_watch.stale_feeds()), reverse("wallet:rates"), "danger"),
        ]

    return once_per_page(user, "wallet.matters", read)  # type: ignore[no-any-return]


def _few(rows: QuerySet[Any], most: int = 100) -> int:
    return len(rows.order_by().values_list("pk")[:most])


def attention(user: User) -> Kpi:
    """Make the card that adds up what needs attention; the list with the kinds is on the same page."""
    matters = [matter for matter in _matters(user) if matter.count]
    worst = sorted(matters, key=lambda matter: (matter.tone != "danger", -matter.count))[:2]
    return Kpi(
        label=_("Needs attention"),
        value=formats.number(sum(matter.count for matter in matters), 0),
        url=f"{reverse('home')}#tile-money-attention",
        icon="triangle-alert",
        hint=" · ".join(f"{matter.label}: {matter.count}" for matter in worst) or _("Nothing needs attention"),
        tone="danger" if any(matter.tone == "danger" for matter in matters) else "accent",
    )


def attention_list(user: User) -> ListCard:
    """List what needs attention by kind; kinds with nothing are left out."""
    return ListCard(
        title=_("Needs attention"),
        rows=[
            ListRow(title=matter.label, url=matter.url, end=formats.number(matter.count, 0), tone=matter.tone)
            for matter in _matters(user)
            if matter.count
        ],
        icon="triangle-alert",
        url=reverse("wallet:money_sources"),
        url_text=_("Sources"),
        empty=_("Nothing needs attention"),
        empty_text=_("Deposits on hold, payouts with unknown status, rejected webhooks and breaks appear here."),
    )


# ── client money ─────────────────────────────────────────────────────────────────────────────────────────────────────
def _cover(user: User) -> dict[dt.date, list[ClientMoneyDay]]:
    """Read the daily calculation of the last fortnight: the newest version of each brand, currency and day."""

    def read() -> dict[dt.date, list[ClientMoneyDay]]:
        since = timezone.now().date() - dt.timedelta(days=COVER_DAYS)
        rows = ClientMoneyDay.objects.filter(brand_id__in=reach_of(user).whole_brands, day__gte=since)
        newest = rows.order_by("day", "brand_id", "currency", "-version").distinct("day", "brand_id", "currency")
        days: dict[dt.date, list[ClientMoneyDay]] = defaultdict(list)
        for row in newest.select_related("brand").defer("places"):
            days[row.day].append(row)
        return dict(days)

    return once_per_page(user, "wallet.cover", read)  # type: ignore[no-any-return]


def percent_of(row: ClientMoneyDay) -> Decimal | None:
    """Return what is held in per cent of what clients are owed; None where nothing is owed."""
    if row.requirement_minor <= 0:
        return None
    return (Decimal(100) * row.resource_minor / row.requirement_minor).quantize(Decimal("0.1"))


def _lowest(rows: Sequence[ClientMoneyDay]) -> tuple[Decimal | None, ClientMoneyDay | None]:
    known = [(percent, row) for row in rows if (percent := percent_of(row)) is not None]
    return min(known, key=lambda pair: pair[0], default=(None, None))


def cover(user: User) -> Kpi:
    """Make the card of the lowest cover of client money at the end of the last calculated day, with its threshold."""
    days = _cover(user)
    last = max(days, default=None)
    percent, row = _lowest(days[last]) if last else (None, None)
    before, _row = _lowest(days.get(last - dt.timedelta(days=7), [])) if last else (None, None)
    state = Cover(row.cover) if row else None
    reasons = {
        Cover.COVERED: _("Must be 100 % or more: covered by the bank"),
        Cover.TRANSIT: _("Must be 100 % or more: amber, as it counts money in transit"),
        Cover.SHORT: _("Below 100 %: pay in the shortfall today"),
    }
    return Kpi(
        label=_("Client money cover"),
        value=f"{formats.number(percent, 1)} %" if percent is not None else "–",
        url=_cover_url(row) if row else reverse("wallet:client_money_start"),
        icon="landmark",
        now=percent,
        before=before,
        versus=_("vs a week ago"),
        hint=str(reasons[state]) if state else _("Calculated at the end of each day"),
        trend=[_lowest(days[day])[0] or 0 for day in sorted(days)],
        tone=TONES[state] if state else "",
    )


def _cover_url(row: ClientMoneyDay) -> str:
    return f"{reverse('wallet:client_money', args=[row.brand.code])}?month={row.day:%Y-%m}&currency={row.currency}"


def cover_by_brand(user: User) -> ListCard:
    """List the cover of each brand and currency at the end of the last calculated day, the lowest first."""
    days = _cover(user)
    rows = sorted(days[max(days)], key=lambda row: percent_of(row) or Decimal("Infinity")) if days else []
    return ListCard(
        title=_("Client money by brand"),
        rows=[
            ListRow(
                title=f"{row.brand.name} {row.currency}",
                url=_cover_url(row),
                note=_("%(held)s held for %(owed)s owed")
                % {
                    "held": formats.money(from_minor(row.resource_minor, row.currency), row.currency),
                    "owed": formats.money(from_minor(row.requirement_minor, row.currency), row.currency),
                },
                end=f"{formats.number(percent, 1)} %" if (percent := percent_of(row)) is not None else "–",
                end_note=str(row.get_cover_display()) if row.cover != Cover.TRANSIT else _("incl. transit"),
                tone=TONES[Cover(row.cover)],
            )
            for row in rows[:ROWS]
        ],
        icon="landmark",
        url=reverse("wallet:client_money_start"),
        url_text=_("Client money"),
        empty=_("Nothing calculated yet"),
        empty_text=_("Client money is calculated at the end of each day."),
        empty_icon="landmark",
    )


# ── PSPs, breaks, sources ────────────────────────────────────────────────────────────────────────────────────────────
def psp_balances(user: User) -> ListCard:
    """List what PSPs hold for the broker, the most first; red where less is there than open payouts need."""
    brands = reach_of(user).whole_brands
    accounts = list(
        Account.objects.filter(brand_id__in=brands, kind=AccountKind.PSP_CLEARING, psp__isnull=False)
        .select_related("psp")
        .defer("psp__sealed_credentials")
        .order_by("id")[:200]
    )
    held = posting.balances([account.pk for account in accounts]) if accounts else {}
    payouts = Withdrawal.objects.filter(brand_id__in=brands, state__in=WITHDRAWAL_OPEN).order_by()
    due = {
        (psp_id, currency): minor
        for psp_id, currency, minor in payouts.values_list("psp_id", "currency").annotate(minor=Sum("amount_minor"))
    }
    rollup = rollup_of(user)

    def worth(account: Account) -> Decimal:
        return rollup.of(from_minor(-held[account.pk], account.currency), account.currency).amount

    rows = []
    for account in sorted(accounts, key=worth, reverse=True)[:ROWS]:
        waiting = int(due.get((account.psp_id, account.currency), 0))
        shown = formats.money(from_minor(waiting, account.currency), account.currency)
        rows.append(
            ListRow(
                title=account.psp.name if account.psp else "",
                url=reverse("wallet:ledger_account", args=[account.pk]),
                note=_("%(amount)s in open payouts") % {"amount": shown} if waiting else _("No open payouts"),
                end=formats.money(from_minor(-held[account.pk], account.currency), account.currency),
                tone="danger" if waiting > -held[account.pk] else "",
            )
        )
    return ListCard(
        title=_("PSP balances"),
        rows=rows,
        icon="wallet-cards",
        url=reverse("wallet:cash"),
        url_text=_("Cash"),
        empty=_("No balances yet"),
        empty_text=_("What payment providers hold appears here after the first deposit."),
        empty_icon="wallet-cards",
    )


def breaks_by_kind(user: User) -> BarsCard:
    """Rank the open breaks by kind."""
    rows = queries.breaks_visible_to(user).filter(state=BreakState.OPEN).order_by()
    counts = list(rows.values_list("kind").annotate(n=Count("pk")).order_by("-n", "kind"))
    url = f"{reverse('wallet:breaks')}?state={BreakState.OPEN}"
    return BarsCard(
        title=_("Open breaks by kind"),
        bars=[Bar(BreakKind(kind).label, count, f"{url}&kind={kind}") for kind, count in counts[:ROWS]],
        icon="scale",
        url=url,
        empty=_("No open breaks"),
        empty_text=_("Differences between the ledger and PSPs, banks or platforms appear here."),
    )


def sources(user: User) -> ListCard:
    """List the sources by their last daily run: those that failed or sent nothing first."""
    since = timezone.now().date() - dt.timedelta(days=RUN_DAYS)
    runs = SourceRun.objects.filter(brand_id__in=reach_of(user).whole_brands, day__gte=since)
    newest = runs.order_by("brand_id", "source", "psp_id", "server_id", "-day").distinct(
        "brand_id", "source", "psp_id", "server_id"
    )
    order = [RunState.FAILED, RunState.MISSING, RunState.BREAKS, RunState.AGREES]
    rows = sorted(
        newest.select_related("psp", "server", "brand").defer("psp__sealed_credentials")[:COUNT_MAX],
        key=lambda run: (order.index(RunState(run.state)), run.label),
    )
    agree = sum(run.state == RunState.AGREES for run in rows)
    return ListCard(
        title=_("Sources' reports"),
        rows=[
            ListRow(
                title=run.label,
                url=reverse("wallet:money_sources"),
                note=f"{run.brand.name} · {run.get_source_display()}",
                end=str(run.get_state_display()),
                end_note=_("up to %(day)s") % {"day": formats.day(run.covered_to)} if run.covered_to else "",
                tone=RUN_TONES.get(RunState(run.state), "success"),
            )
            for run in rows[:ROWS]
        ],
        icon="activity",
        url=reverse("wallet:money_sources"),
        url_text=_("%(count)s of %(all)s matched") % {"count": agree, "all": len(rows)} if rows else "",
        empty=_("No daily runs yet"),
        empty_text=_("Each source is compared with the ledger once a day."),
        empty_icon="activity",
    )
