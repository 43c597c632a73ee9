"""The IB manager's home: new partners, what their links bring, commissions by day, and why trades were not paid."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.approvals.queries import waiting_for
from crm.i18n import formats
from crm.models import User
from crm.security.scope import reach_of
from crm.ui.cards import Bar, BarsCard, ChartCard, ListCard, ListRow
from crm.ui.charts import Chart, Series
from crm.ui.day_counts import CURVE_DAYS, age_text, midnight
from crm.ui.kpis import Kpi, once_per_page
from ib import figures
from ib.choices import PartnerState, PeriodState
from ib.manager_tasks.partner_tasks import tasks_visible_to
from ib.models import Partner, PartnerDay, ReferralDay, SettlementPeriod
from ib.plans import PlanApproval
from ib.queries import partners_visible_to
from wallet.core.rollup import Total, rollup_of

ROWS = 6
DAYS = 30
UNPAID_DAYS = 7
QUEUE_MAX = 50
REASONS = 6
LINK_DAYS = 30


@dataclass(frozen=True)
class Month:
    """This month so far and the same days of the month before; days are those of the trades and clicks (UTC)."""

    today: dt.date

    @property
    def first(self) -> dt.date:
        return self.today.replace(day=1)

    @property
    def first_before(self) -> dt.date:
        return (self.first - dt.timedelta(days=1)).replace(day=1)

    @property
    def last_before(self) -> dt.date:
        """Return the day of the month before until which this month is compared."""
        return min(self.first_before + dt.timedelta(days=self.today.day - 1), self.first - dt.timedelta(days=1))

    @property
    def since(self) -> dt.date:
        """Return the first day that any card reads."""
        return min(self.first_before, self.today - dt.timedelta(days=DAYS - 1))

    def days(self, count: int) -> list[dt.date]:
        return [self.today - dt.timedelta(days=back) for back in range(count - 1, -1, -1)]


def this_month() -> Month:
    """Return this month by the UTC calendar, which the day sums are kept in."""
    return Month(timezone.now().astimezone(dt.UTC).date())


@dataclass
class Sums:
    """What some days add up to; the amount in the reader's currency."""

    amount: Total = field(default_factory=Total)
    trades: int = 0
    unpaid: int = 0

    @property
    def unpaid_percent(self) -> Decimal | None:
        rows = self.trades + self.unpaid
        return Decimal(100) * self.unpaid / rows if rows else None


def _sums(user: User) -> dict[dt.date, Sums]:
    """Sum the partners' day sums in reach since the first day of the month before: one query for all cards."""

    def read() -> dict[dt.date, Sums]:
        rollup = rollup_of(user)
        rows = PartnerDay.objects.filter(partner__in=partners_visible_to(user), day__gte=this_month().since)
        summed = rows.order_by().values_list("day", "currency").annotate(Sum("amount"), Sum("trades"), Sum("unpaid"))
        by_day: dict[dt.date, Sums] = {}
        for day, currency, amount, trades, unpaid in summed:
            sums = by_day.setdefault(day, Sums())
            sums.amount += rollup.of(amount, currency)
            sums.trades += trades
            sums.unpaid += unpaid
        return by_day

    return once_per_page(user, "ib.sums", read)  # type: ignore[no-any-return]


def _between(user: User, first: dt.date, last: dt.date) -> Sums:
    total = Sums()
    for day, sums in _sums(user).items():
        if first <= day <= last:
            total.amount += sums.amount
            total.trades += sums.trades
            total.unpaid += sums.unpaid
    return total


def _now_and_before(user: User) -> tuple[Sums, Sums]:
    month = this_month()
    return _between(user, month.first, month.today), _between(user, month.first_before, month.last_before)


def new_partners(user: User) -> Kpi:
    """Make the card of the partners who joined this month."""
    month = this_month()
    partners = partners_visible_to(user)
    joined = partners.filter(joined_at__gte=midnight(month.since)).order_by()
    by_day: dict[dt.date, int] = dict(
        joined.annotate(day=TruncDate("joined_at")).values_list("day").annotate(n=Count("pk"))
    )
    active = len(partners.filter(state=PartnerState.ACTIVE).order_by().values_list("pk")[: figures.COUNT_MAX])
    now = sum(count for day, count in by_day.items() if day >= month.first)
    return Kpi(
        label=_("New partners this month"),
        value=formats.number(now, 0),
        url=f"{reverse('ib_partners')}?joined_after={month.first.isoformat()}",
        icon="handshake",
        now=now,
        before=sum(count for day, count in by_day.items() if month.first_before <= day <= month.last_before),
        versus=_("vs last month to date"),
        hint=ngettext("%(count)s active partner", "%(count)s active partners", active) % {"count": active},
        trend=[by_day.get(day, 0) for day in month.days(CURVE_DAYS)],
    )


def _referred(user: User) -> dict[dt.date, tuple[int, int]]:
    def read() -> dict[dt.date, tuple[int, int]]:
        rows = ReferralDay.objects.filter(link__partner__in=partners_visible_to(user), day__gte=this_month().since)
        summed = rows.order_by().values_list("day").annotate(Sum("clicks"), Sum("registrations"))
        return {day: (clicks, registrations) for day, clicks, registrations in summed}

    return once_per_page(user, "ib.referred", read)  # type: ignore[no-any-return]


def registrations(user: User) -> Kpi:
    """Make the card of this month's registrations through partners' links, with the share of clicks that became one."""
    month, by_day = this_month(), _referred(user)
    now = [by_day[day] for day in by_day if month.first <= day <= month.today]
    clicks, registered = sum(row[0] for row in now), sum(row[1] for row in now)
    share = f"{formats.number(Decimal(100) * registered / clicks, 1)} %" if clicks else "–"
    return Kpi(
        label=_("Referred registrations"),
        value=formats.number(registered, 0),
        url=f"{reverse('home')}#tile-ib-links",
        icon="user-check",
        now=registered,
        before=sum(by_day[day][1] for day in by_day if month.first_before <= day <= month.last_before),
        versus=_("vs last month to date"),
        hint=_("%(clicks)s clicks, %(share)s registered") % {"clicks": formats.number(clicks, 0), "share": share},
        trend=[by_day.get(day, (0, 0))[1] for day in month.days(CURVE_DAYS)],
        tone="accent",
    )


def commission(user: User) -> Kpi:
    """Make the card of the commissions on this month's trades."""
    month, rollup = this_month(), rollup_of(user)
    now, before = _now_and_before(user)
    rows = ngettext("%(count)s paid row", "%(count)s paid rows", now.trades) % {"count": formats.number(now.trades, 0)}
    return Kpi(
        label=_("Commissions this month"),
        value=rollup.figure(now.amount),
        url=f"{reverse('ib_accruals')}?state=accrued&closed_after={month.first.isoformat()}",
        icon="coins",
        now=now.amount.amount,
        before=before.amount.amount,
        versus=_("vs last month to date"),
        is_more_better=None,  # what partners earn, the broker pays
        hint=" · ".join(filter(None, (rollup.missing(now.amount), rows))),
        trend=[_sums(user).get(day, Sums()).amount.amount for day in month.days(CURVE_DAYS)],
        tone="teal",
    )


def unpaid_share(user: User) -> Kpi:
    """Make the card of the share of rows that paid nothing: less is better."""
    month = this_month()
    now, before = _now_and_before(user)
    share = now.unpaid_percent
    return Kpi(
        label=_("Not paid this month"),
        value=f"{formats.number(share, 1)} %" if share is not None else "–",
        url=f"{reverse('ib_exclusions')}?closed_after={month.first.isoformat()}",
        icon="circle-question-mark",
        now=share,
        before=before.unpaid_percent,
        versus=_("vs last month to date"),
        is_more_better=False,
        hint=_("%(unpaid)s of %(all)s rows")
        % {"unpaid": formats.number(now.unpaid, 0), "all": formats.number(now.trades + now.unpaid, 0)},
        trend=[_sums(user).get(day, Sums()).unpaid_percent or 0 for day in month.days(CURVE_DAYS)],
        tone="warning",
    )


def by_day(user: User) -> ChartCard:
    """Draw the commissions by day of the trades."""
    days, rollup = this_month().days(DAYS), rollup_of(user)
    amounts = [_sums(user).get(day, Sums()).amount for day in days]
    total, notes = sum(amounts, Total()), []
    if total.is_converted:
        notes.append(
            _("All currencies converted to %(currency)s at today's reference rates.") % {"currency": rollup.currency}
        )
    if missing := rollup.missing(total):
        notes.append(_("The figures are %(missing)s.") % {"missing": missing})
    return ChartCard(
        title=_("Commissions by day"),
        chart=Chart(
            id="home-commissions",
            x=days,
            series=[
                Series(
                    _("Commissions"),
                    [amount.amount for amount in amounts],
                    kind="bars",
                    tone="teal",
                    unit=rollup.currency,
                )
            ],
            height=280,
        ),
        url=reverse("reports_dashboard", args=["partners"]),
        url_text=_("Dashboard"),
        note=" ".join(notes),
    )


def waiting(user: User) -> ListCard:
    """List what waits for a decision: proposed plans, partners to activate, periods that are over and not settled."""
    rows = [
        ListRow(
            title=proposal.title,
            url=proposal.url,
            note=f"{proposal.item.plan.brand} · {_('Requested by you') if proposal.is_own else _('Commission plan to approve')}",
            end=age_text(proposal.asked_at),
            tone="" if proposal.is_own else "warning",
        )
        for proposal in waiting_for(user, PlanApproval.code)[:ROWS]
    ]
    pending = partners_visible_to(user).filter(state=PartnerState.PENDING).exclude(approvals__state="pending")
    pending = pending.order_by("joined_at", "pk")
    rows += [
        ListRow(
            title=partner.name,
            url=partner.get_absolute_url(),
            note=_("Partner to activate"),
            end=age_text(partner.joined_at),
            tone="warning",
            is_person=True,
        )
        for partner in pending[:ROWS]
    ]
    over = SettlementPeriod.objects.filter(
        brand_id__in=reach_of(user).whole_brands, state=PeriodState.OPEN, ends_at__lte=timezone.now()
    )
    rows += [
        ListRow(
            title=f"{period.brand.name} {period.name}",
            url=reverse("ib_period", args=[period.pk]),
            note=_("Period to settle: finance decides"),
            end=age_text(period.ends_at),
        )
        for period in over.select_related("brand").order_by("ends_at", "pk")[:ROWS]
    ]
    return ListCard(
        title=_("Waiting for a decision"),
        rows=rows[:ROWS],
        icon="list-checks",
        url=reverse("approvals"),
        url_text=_("Second approvals"),
        empty=_("Nothing is waiting"),
        empty_text=_("Proposed plans, new partners and periods to settle appear here."),
    )


def tasks(user: User) -> ListCard:
    """List somebody's own open tasks about partners, the first due first."""
    rows = tasks_visible_to(user).filter(assignee=user, done_at=None).select_related("partner").order_by("due_on", "pk")
    today = timezone.localdate()
    return ListCard(
        title=_("My partner tasks"),
        rows=[
            ListRow(
                title=task.title,
                url=task.get_absolute_url(),
                note=task.partner.name,
                end=formats.day(task.due_on),
                tone="danger" if task.due_on < today else "warning" if task.due_on == today else "",
            )
            for task in rows[:ROWS]
        ],
        icon="clipboard-check",
        url=f"{reverse('ib_tasks')}?of=mine&state=open",
        empty=_("No open tasks"),
        empty_text=_("Tasks are added on a partner’s page, or for several partners in their list."),
    )


def unpaid_by_reason(user: User) -> BarsCard:
    """Rank the reasons for which trades of the last seven days paid nothing."""
    first = timezone.localdate() - dt.timedelta(days=UNPAID_DAYS - 1)
    counts = figures.exclusions(reach_of(user).whole_brands, since=midnight(first)).answer
    return BarsCard(
        title=_("Not paid in 7 days, by reason"),
        bars=[
            Bar(
                row.reason.label,
                row.rows,
                f"{reverse('ib_exclusions')}?reason={row.reason.value}&closed_after={first.isoformat()}",
            )
            for row in counts[:REASONS]
        ],
        icon="circle-question-mark",
        url=reverse("ib_exclusions"),
        empty=_("All trades were paid"),
        empty_text=_("Trades of referred clients without commission appear here with the reason."),
        empty_icon="circle-check",
    )


def top_partners(user: User) -> ListCard:
    """List the partners who earned most on this month's trades, each with the course of a fortnight."""
    month, rollup = this_month(), rollup_of(user)
    rows = PartnerDay.objects.filter(partner__in=partners_visible_to(user), day__gte=month.first).order_by()
    earned: dict[int, Total] = {}
    for partner_id, currency, amount in rows.values_list("partner_id", "currency").annotate(Sum("amount")):
        earned[partner_id] = earned.get(partner_id, Total()) + rollup.of(amount, currency)
    best = sorted(earned, key=lambda pk: (-earned[pk].amount, pk))[:ROWS]
    partners = Partner.objects.in_bulk(best)
    days = month.days(CURVE_DAYS)
    curves: dict[int, dict[dt.date, float]] = {}
    recent = PartnerDay.objects.filter(partner_id__in=best, day__gte=days[0]).order_by()
    for partner_id, day, currency, amount in recent.values_list("partner_id", "day", "currency", "amount"):
        curve = curves.setdefault(partner_id, {})
        curve[day] = curve.get(day, 0) + float(rollup.of(amount, currency).amount)
    return ListCard(
        title=_("Top partners this month"),
        rows=[
            ListRow(
                title=partners[pk].name,
                url=partners[pk].get_absolute_url(),
                note=partners[pk].code,
                end=rollup.figure(earned[pk]),
                end_note=rollup.missing(earned[pk]),
                is_person=True,
                trend=[curves.get(pk, {}).get(day, 0) for day in days],
            )
            for pk in best
        ],
        icon="trending-up",
        url=reverse("ib_partners"),
        empty=_("No commissions yet"),
        empty_text=_("Partners appear here with the first paid trade of the month."),
        empty_icon="coins",
    )


def links(user: User) -> ListCard:
    """List the referral links with the most registrations of the last thirty days."""
    first = this_month().today - dt.timedelta(days=LINK_DAYS - 1)
    rows = ReferralDay.objects.filter(link__partner__in=partners_visible_to(user), day__gte=first).order_by()
    summed = rows.values_list("link__code", "link__campaign", "link__partner_id", "link__partner__name").annotate(
        seen=Sum("clicks"), registered=Sum("registrations")
    )
    return ListCard(
        title=_("Links by registrations, 30 days"),
        rows=[
            ListRow(
                title=campaign or code,
                url=reverse("ib_partner", args=[partner_id]),
                note=name,
                end=formats.number(registered, 0),
                end_note=ngettext("%(count)s click", "%(count)s clicks", seen) % {"count": formats.number(seen, 0)},
            )
            for code, campaign, partner_id, name, seen, registered in summed.order_by(
                "-registered", "-seen", "link_id"
            )[:ROWS]
        ],
        icon="link",
        url=reverse("ib_partners"),
        empty=_("No clicks yet"),
        empty_text=_("Partners' links appear here with their first clicks."),
        empty_icon="link",
    )
