"""Closes the months of a brand's books, and reopens a closed one with four eyes.

A closing takes two steps, so that nobody's posting waits for it:

1. `_begin`: for an instant no posting is in flight (writers hold a shared lock until they commit); the month's state
becomes
   `closing`. From then on `ledger_post` puts late facts into the first day after it.
2. `_finish`: opening, turnover and closing of every account are computed from the postings, which can't change any
more,
   and stored; the state becomes `closed`. A crash in between is continued by the scheduler.

A closing is never rewritten: a month that was reopened gets a further one. A mistake in a closed month is corrected by
a journal in the next one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import OperationalError, connection, transaction
from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.db.locking import lock
from crm.errors import WrongState
from crm.events import publish
from crm.events.catalogue_money import PeriodClosed, PeriodReopened
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, Brand, Job, User
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.month_end import PeriodState
from wallet.choices.notices import WalletNotice
from wallet.closing import policies as closing_policies
from wallet.closing import sign_offs
from wallet.closing.checklist import Check
from wallet.ledger.seals import BOUNDARY_LOCK, WAIT_MS_MAX
from wallet.models import Journal, Period, PeriodReopening

ATTEMPTS = 20

CARRY_FORWARD = """
INSERT INTO wallet_closingbalance (period_id, closing, account_id, opening_minor, debits_minor, credits_minor, closing_minor)
SELECT %(period)s, %(closing)s, account_id, coalesce(b.minor, 0), coalesce(t.debits, 0), coalesce(t.credits, 0),
  coalesce(b.minor, 0) + coalesce(t.credits, 0) - coalesce(t.debits, 0)
FROM (
  SELECT p.account_id, coalesce(-sum(p.amount_minor) FILTER (WHERE p.amount_minor < 0), 0)::bigint AS debits,
    coalesce(sum(p.amount_minor) FILTER (WHERE p.amount_minor > 0), 0)::bigint AS credits
  FROM wallet_journal j JOIN wallet_posting p ON p.journal_id = j.id AND p.layer = 0
  WHERE j.brand_id = %(brand)s AND j.business_on BETWEEN %(first)s AND %(last)s GROUP BY p.account_id
) t FULL JOIN (
  SELECT account_id, closing_minor AS minor FROM wallet_closingbalance
  WHERE period_id = %(before)s AND closing = %(before_closing)s AND closing_minor <> 0
) b USING (account_id)
"""


# ── months ───────────────────────────────────────────────────────────────────────────────────────────────────────────

# By the first posting of each account: no index by brand is kept for a question that is asked once.
FIRST_DAY = """
SELECT j.business_on FROM wallet_account a CROSS JOIN LATERAL (
  (SELECT p.journal_id FROM wallet_posting p WHERE p.account_id = a.id AND p.version = 1)
  UNION ALL
  (SELECT p.journal_id FROM wallet_posting p WHERE p.account_id = a.id AND p.version IS NULL ORDER BY p.posted_at LIMIT 1)
) p JOIN wallet_journal j ON j.id = p.journal_id WHERE a.brand_id = %s ORDER BY j.id LIMIT 1
"""


@transaction.atomic
def open_months(brand_id: int) -> int:
    """Create the brand's missing months from the first business day to this one; return how many."""
    lock(Brand, brand_id, no_key=True)
    known = list(Period.objects.filter(brand_id=brand_id).order_by("first_day"))
    this_month = timezone.now().astimezone(dt.UTC).date().replace(day=1)
    first = known[0].first_day if known else _first_month(brand_id)
    if first is None:
        return 0
    missing = []
    if all(period.state == PeriodState.OPEN for period in known):
        earlier = Journal.objects.filter(brand_id=brand_id, business_on__lt=first).aggregate(day=Min("business_on"))
        if earlier["day"] is not None:
            missing += _months(earlier["day"].replace(day=1), first)
    missing += _months(known[-1].last_day + dt.timedelta(days=1) if known else first, _next(this_month))
    Period.objects.bulk_create(
        Period(brand_id=brand_id, first_day=day, last_day=_next(day) - dt.timedelta(days=1)) for day in missing
    )
    return len(missing)


def _first_month(brand_id: int) -> dt.date | None:
    """Return the month of the brand's first journal; None while there is none."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_DAY, [brand_id])
        row = cursor.fetchone()
    return row[0].replace(day=1) if row else None


def _months(first: dt.date, end: dt.date) -> list[dt.date]:
    days = []
    while first < end:
        days.append(first)
        first = _next(first)
    return days


def _next(day: dt.date) -> dt.date:
    return (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1)


def open_months_of_all() -> int:
    """Create the missing months of all brands; run by the scheduler."""
    return sum(open_months(pk) for pk in Brand.objects.order_by("pk").values_list("pk", flat=True))


# ── closing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def order_closing(*, period_id: int, actor: User, note: str = "") -> Job:
    """Start the job that closes a month; what prevents it is checked now. Who: `wallet.close_period` on the brand."""
    from crm.files.jobs import start_job

    period = Period.objects.select_related("brand").get(pk=period_id)
    _require_closable(period, actor, note)
    return start_job(
        "wallet.close_period",
        owner=actor,
        parameters={"period_id": period_id, "note": note},
        title=_("Closing %(month)s of %(brand)s") % {"month": period, "brand": period.brand},
    )


def close_period(
    *, period_id: int, actor: Actor, note: str = "", progress: Callable[[int, int, str], None] = lambda *_args: None
) -> Period:
    """Close the brand's earliest open month once two people have signed it (`sign_offs.sign_month`).

    Who: `wallet.close_period` on the brand. note: needed when a check warns.
    Raises: NotAllowed, WrongState (not over, not the earliest), DomainError (what blocks, in words).
    """
    progress(0, 2, _("Waiting for postings in progress"))
    _begin(period_id, actor, note)
    progress(1, 2, _("Calculating the carry-forward"))
    period = _finish(period_id)
    progress(2, 2, "")
    return period


def _require_closable(period: Period, actor: Actor, note: str) -> list[Check]:
    """Check right, state, order, checks and two signatures. Returns the checks that warn."""
    require(closing_policies.can_close_period(actor, period.brand_id))
    warning = sign_offs.require_closable(period, note)
    sign_offs.require_signed(period)
    return warning


@transaction.atomic
def _begin(period_id: int, actor: Actor, note: str) -> None:
    """Set the month to `closing` at an instant without postings in flight: it takes no entry after it."""
    period = lock(Period, period_id, "brand")
    warning = _require_closable(period, actor, note)
    _wait_until_nothing_is_in_flight()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        period.closed_at = cursor.fetchone()[0]
    period.move_to(PeriodState.CLOSING)
    period.closed_by, period.note = actor, note.strip()[:300]
    period.closings += 1
    period.save(update_fields=["state", "closed_by", "closed_at", "closings", "note"])
    audit.record(
        actor=actor,
        action=WalletAction.PERIOD_CLOSING,
        target=period,
        brand_id=period.brand_id,
        reason=note,
        after={"period": str(period), "closing": period.closings, "warnings": [check.words for check in warning]},
    )


def _wait_until_nothing_is_in_flight() -> None:
    """Hold the ledger's lock alone until this short transaction ends; give way when writers are too busy."""
    for _attempt in range(ATTEMPTS):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {int(WAIT_MS_MAX)}")
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [BOUNDARY_LOCK])
                cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
            return
        except OperationalError as error:
            if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise
    raise WrongState(_("Too many postings are in progress. Close the month again in a minute."))


@transaction.atomic
def _finish(period_id: int) -> Period:
    """Compute and store the carry-forward; do nothing where that is done already."""
    period = lock(Period, period_id)
    if period.state != PeriodState.CLOSING:
        return period
    before = (
        Period.objects.filter(brand_id=period.brand_id, last_day__lt=period.first_day).order_by("-last_day").first()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            CARRY_FORWARD,
            {
                "period": period.pk,
                "closing": period.closings,
                "brand": period.brand_id,
                "first": period.first_day,
                "last": period.last_day,
                "before": before.pk if before else None,
                "before_closing": before.closings if before else None,
            },
        )
        accounts = cursor.rowcount
    period.move_to(PeriodState.CLOSED)
    period.save(update_fields=["state"])
    audit.record(
        actor=period.closed_by,
        action=WalletAction.PERIOD_CLOSED,
        target=period,
        brand_id=period.brand_id,
        after={"period": str(period), "closing": period.closings, "accounts": accounts},
    )
    publish(
        PeriodClosed(brand_id=period.brand_id, period_id=period.pk, closing=period.closings), actor=period.closed_by
    )
    return period


def continue_closings() -> int:
    """Finish closings that a crash left between their two steps; run by the scheduler. Returns how many."""
    due = list(
        Period.objects.filter(state=PeriodState.CLOSING).order_by("brand_id", "first_day").values_list("pk", flat=True)
    )
    done = 0
    for pk in due:
        with transaction.atomic():
            # A process that is finishing it holds the row.
            if Period.objects.select_for_update(skip_locked=True).filter(pk=pk, state=PeriodState.CLOSING).exists():
                done += _finish(pk).state == PeriodState.CLOSED
    return done


# ── opening again ────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def request_reopening(*, period_id: int, actor: User, reason: str) -> PeriodReopening:
    """Propose to reopen the last closed month; somebody else decides. Who: `wallet.close_period` on the brand."""
    period = lock(Period, period_id, "brand")
    require(closing_policies.can_close_period(actor, period.brand_id))
    _require_last_closed(period)
    reopening = PeriodReopening(period=period, closing=period.closings, reason=reason)
    return approvals.propose(reopening, actor=actor)


class ReopeningApproval(approvals.ApprovalKind[PeriodReopening]):
    """The reopening of a closed month, done when a second person approves it."""

    model = PeriodReopening
    code = "period-reopening"
    label = gettext_lazy("Reopening a month")
    asks, decides = "wallet.close_period", "wallet.reopen_period"
    proposed, approved = WalletAction.PERIOD_REOPENING_ASKED, WalletAction.PERIOD_REOPENED
    rejected, withdrawn = WalletAction.PERIOD_REOPENING_REFUSED, WalletAction.PERIOD_REOPENING_WITHDRAWN
    notice = WalletNotice.PERIOD_REOPENING
    brand_path = "period__brand_id"
    related = ("period__brand",)
    one_open = ("period",)
    done = gettext_lazy("Month reopened.")

    def lock(self, pk: int) -> PeriodReopening:
        """Lock the month first, then the proposal."""
        period = lock(Period, PeriodReopening.objects.values_list("period_id", flat=True).get(pk=pk))
        reopening = super().lock(pk)
        period.brand, reopening.period = reopening.period.brand, period
        return reopening

    def apply(self, item: PeriodReopening, actor: User, **given: Any) -> None:
        period = item.period
        _require_last_closed(period)
        period.move_to(PeriodState.OPEN)
        period.closed_by = period.closed_at = None
        period.save(update_fields=["state", "closed_by", "closed_at"])
        publish(PeriodReopened(brand_id=period.brand_id, period_id=period.pk, closing=period.closings), actor=actor)

    def title(self, item: PeriodReopening) -> LocalizedText:
        return phrase("Reopening %(month)s of %(brand)s") % {"month": item.period, "brand": item.period.brand}

    def url(self, item: PeriodReopening) -> str:
        return f"/money/periods/{item.period_id}/"

    def target(self, item: PeriodReopening) -> Period:
        return item.period

    def after(self, item: PeriodReopening) -> dict[str, Any]:
        return {"period": str(item.period), "closing": item.period.closings}


def _require_last_closed(period: Period) -> None:
    if period.state != PeriodState.CLOSED:
        raise WrongState(_("%(month)s is “%(state)s”.") % {"month": period, "state": period.get_state_display()})
    later = Period.objects.filter(brand_id=period.brand_id, first_day__gt=period.last_day).exclude(
        state=PeriodState.OPEN
    )
    if later.exists():
        raise WrongState(_("A later month is closed. Only the last closed month can be reopened."))
