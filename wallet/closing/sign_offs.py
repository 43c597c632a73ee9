"""Signatures of a month: two people sign the same figures before it is closed.

What is signed is a digest: the month's trial balance, the reports and statements that are in it, the open breaks, the
days of client money. When one of them changes, earlier signatures no longer count and people sign again. The database
refuses to close a month that two people have not signed (trigger `signed_by_two_before_it_is_closed`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import orjson
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.month_end import PeriodState
from wallet.choices.notices import WalletNotice
from wallet.choices.reconciliation import BreakState
from wallet.closing import policies
from wallet.closing.checklist import Check, end_of_month
from wallet.closing.period_checks import checks_of
from wallet.closing.trial_balance import TrialBalance, trial_balance
from wallet.models import BankFile, Break, ClientMoneyDay, MonthSignOff, Period, SettlementImport

NEEDED = 2


@dataclass(frozen=True, slots=True)
class Signatures:
    """Live signatures of a month's next closing. `valid` are those under the figures as they are now."""

    valid: tuple[MonthSignOff, ...]
    outdated: tuple[MonthSignOff, ...]
    figures_hash: str

    @property
    def are_enough(self) -> bool:
        return len({row.signed_by_id for row in self.valid}) >= NEEDED


def figures_hash(period: Period, trial: TrialBalance | None = None) -> str:
    """Compute the digest of what is signed."""
    trial = trial or trial_balance(period)
    figures = [
        period.brand.code,
        str(period),
        period.closings + 1,
        [
            [row.kind, row.currency, row.accounts, row.opening, row.debits, row.credits, row.closing]
            for part in trial.parts
            for row in part.rows
        ],
        list(_reports(period).order_by("psp__code", "sha256").values_list("psp__code", "sha256")),
        list(
            BankFile.objects.filter(
                psp__brand_id=period.brand_id, entries__booked_on__range=(period.first_day, period.last_day)
            )
            .order_by("psp__code", "sha256")
            .values_list("psp__code", "sha256")
            .distinct()
        ),
        list(_open_breaks(period).order_by("pk").values_list("pk", flat=True)),
        list(
            ClientMoneyDay.objects.filter(brand_id=period.brand_id, day__range=(period.first_day, period.last_day))
            .order_by("day", "currency", "version")
            .values_list("content_hash", flat=True)
        ),
    ]
    return hashlib.sha256(orjson.dumps(figures, default=str)).hexdigest()


def _reports(period: Period) -> QuerySet[SettlementImport]:
    return SettlementImport.objects.filter(
        psp__brand_id=period.brand_id, first_day__lte=period.last_day, last_day__gte=period.first_day
    )


def _open_breaks(period: Period) -> QuerySet[Break]:
    return Break.objects.filter(brand_id=period.brand_id, state=BreakState.OPEN, happened_at__lt=end_of_month(period))


def signatures_of(period: Period, trial: TrialBalance | None = None) -> Signatures:
    """Read the signatures of the closing to come."""
    rows = list(
        MonthSignOff.objects.filter(period=period, closing=period.closings + 1, withdrawn_at__isnull=True)
        .select_related("signed_by")
        .order_by("pk")
    )
    if not rows:
        return Signatures((), (), "")
    now = figures_hash(period, trial)
    return Signatures(
        tuple(row for row in rows if row.figures_hash == now),
        tuple(row for row in rows if row.figures_hash != now),
        now,
    )


def signatures_of_closing(period: Period, closing: int) -> list[MonthSignOff]:
    """Read by whom and under which figures a month was closed: the newest figures that two people signed."""
    rows = list(
        MonthSignOff.objects.filter(period=period, closing=closing, withdrawn_at__isnull=True)
        .select_related("signed_by")
        .order_by("pk")
    )
    return [row for row in rows if row.figures_hash == rows[-1].figures_hash] if rows else []


@transaction.atomic
def sign_month(*, period_id: int, actor: User, note: str = "") -> MonthSignOff:
    """Sign an ended month as it stands. The second signature makes it ready to be closed (`periods.order_closing`).

    Who: `wallet.close_period` on the brand. note: needed while a check warns.
    Raises: NotAllowed, WrongState, DomainError (what blocks, in words; or that they signed already).
    """
    period = lock(Period, period_id, "brand")
    require(policies.can_close_period(actor, period.brand_id))
    checks = require_closable(period, note)
    mark = figures_hash(period)
    mine = MonthSignOff.objects.filter(
        period=period, closing=period.closings + 1, signed_by=actor, withdrawn_at__isnull=True
    )
    if mine.filter(figures_hash=mark).exists():
        raise WrongState(_("You have already signed this month. The second signature must come from someone else."))
    mine.update(withdrawn_at=timezone.now())
    signed = MonthSignOff.objects.create(
        period=period,
        closing=period.closings + 1,
        figures_hash=mark,
        signed_by=actor,
        signed_at=timezone.now(),
        note=note.strip()[:300],
        checks=[check.words for check in checks],
    )
    audit.record(
        actor=actor,
        action=WalletAction.MONTH_SIGNED,
        target=period,
        brand_id=period.brand_id,
        reason=note,
        after={"period": str(period), "closing": signed.closing, "figures": mark, "open": signed.checks},
    )
    if not signatures_of(period).are_enough:
        _ask_for_the_second(period, signed, actor)
    return signed


def _ask_for_the_second(period: Period, signed: MonthSignOff, actor: User) -> None:
    notify(
        [pk for pk in people_with("wallet.close_period", brand_id=period.brand_id) if pk != actor.pk],
        kind=WalletNotice.MONTH_TO_SIGN,
        title=phrase("%(month)s of %(brand)s: awaiting second signature") % {"month": period, "brand": period.brand},
        url=month_url(period),
        dedupe_key=f"month-sign:{signed.pk}",
    )


def month_url(period: Period) -> str:
    """Return the address of the month's page."""
    return f"/money/month-end/{period.brand.code}/{period}/"


@transaction.atomic
def withdraw_signature(*, sign_off_id: int, actor: User) -> MonthSignOff:
    """Withdraw one's own signature while the month is open. Raises: NotAllowed, WrongState."""
    row = MonthSignOff.objects.select_related("period").get(pk=sign_off_id)
    period = lock(Period, row.period_id)
    signed = lock(MonthSignOff, sign_off_id)
    require(policies.can_withdraw_signature(actor, signed))
    if period.state != PeriodState.OPEN or signed.withdrawn_at is not None:
        raise WrongState(_("%(month)s is “%(state)s”.") % {"month": period, "state": period.get_state_display()})
    signed.withdrawn_at = timezone.now()
    signed.save(update_fields=["withdrawn_at"])
    audit.record(
        actor=actor,
        action=WalletAction.MONTH_SIGNATURE_WITHDRAWN,
        target=period,
        brand_id=period.brand_id,
        after={"period": str(period), "closing": signed.closing},
    )
    return signed


def require_closable(period: Period, note: str) -> list[Check]:
    """Check state, order and checks. Returns the checks that warn."""
    if period.state != PeriodState.OPEN:
        raise WrongState(_("%(month)s is “%(state)s”.") % {"month": period, "state": period.get_state_display()})
    checks = checks_of(period)
    blocking = [check for check in checks if check.blocks and not check.is_fine]
    if blocking:
        raise DomainError(" ".join(check.words for check in blocking))
    warning = [check for check in checks if not check.is_fine]
    if warning and not note.strip():
        raise DomainError(
            _("Add a note explaining why you're closing the month despite these warnings: %(what)s")
            % {"what": " ".join(check.words for check in warning)}
        )
    return warning


def require_signed(period: Period) -> None:
    """Refuse a month unless two people have signed the figures as they are now. Raises DomainError."""
    signed = signatures_of(period)
    if not signed.are_enough:
        words = _("%(month)s needs two signatures before it can be closed. Signatures so far: %(count)s.") % {
            "month": period,
            "count": len(signed.valid),
        }
        if signed.outdated:
            words += " " + _("The figures have changed since earlier signatures.")
        raise DomainError(words)
