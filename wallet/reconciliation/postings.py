"""A difference that is accepted becomes a journal: one person proposes what it is, another one posts it.

The PSP's account gets what it really holds, the other side is the reason: a fee, a difference of rates, rounding, a loss, or not
known yet. Where the break has both a row and a movement, they become a group whose difference is this journal.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, User
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.bank import EntryState
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.month_end import PeriodState
from wallet.choices.notices import WalletNotice
from wallet.choices.reconciliation import BreakKind, BreakState, Leg, MatchRule, PostingWay, Resolved
from wallet.ledger import posting as ledger
from wallet.ledger.posting import Entry, Line
from wallet.models import Break, BreakPosting, Match, MatchGroup, Period, Psp, ReserveItem
from wallet.psp.waiting_reports import lock_psp
from wallet.reconciliation import breaks, own_bank
from wallet.reconciliation import policies as reconciliation_policies
from wallet.reconciliation.conversions import (
    BreakConversion,
    convert_break,
    lines_between,
    names_another_client,
    proposed_conversion,
)
from wallet.reconciliation.matching import book_again
from wallet.reconciliation.own_bank import Arrival

OTHER_SIDE = {
    PostingWay.FEE: AccountKind.FEES,
    PostingWay.FX: AccountKind.FX_POSITION,
    PostingWay.ROUNDING: AccountKind.ROUNDING,
    PostingWay.LOSS: AccountKind.CHARGEBACK_LOSSES,
    PostingWay.SUSPENSE: AccountKind.SUSPENSE,
}
KINDS = {PostingWay.FEE: JournalKind.PSP_FEE, PostingWay.FX: JournalKind.FX}
ROUNDING_MAX_MINOR = 100
# What each kind of break is most often, for the form; None: another way than a posting.
USUALLY: dict[str, PostingWay | None] = {
    BreakKind.AMOUNT: PostingWay.FEE,
    BreakKind.CURRENCY: PostingWay.FX,
    BreakKind.FEE: None,
    BreakKind.DUPLICATE: PostingWay.SUSPENSE,
    BreakKind.MISSING_HERE: PostingWay.SUSPENSE,
    BreakKind.STATUS: PostingWay.LOSS,
    BreakKind.RESERVE_OVERDUE: PostingWay.LOSS,
    BreakKind.RESERVE_UNEQUAL: PostingWay.SUSPENSE,
}
# Of these the money is in the PSP's reserve, not in its clearing account.
OF_RESERVES = frozenset({BreakKind.RESERVE_OVERDUE, BreakKind.RESERVE_UNEQUAL})
POSTABLE = OF_RESERVES | {
    BreakKind.AMOUNT,
    BreakKind.CURRENCY,
    BreakKind.DUPLICATE,
    BreakKind.MISSING_HERE,
    BreakKind.STATUS,
}
# Their row and movement are the same thing once the difference is posted.
PAIRED = frozenset({BreakKind.AMOUNT, BreakKind.CURRENCY})


def can_be_posted(break_: Break) -> bool:
    """Check whether a break's difference can be posted.

    A fee is booked as the PSP took it; client, timing and what is missing in our ledger are no differences of money.
    """
    if break_.kind == BreakKind.CURRENCY and (break_.row_id is None or break_.movement_id is None):
        return False
    return (
        break_.leg == Leg.PSP
        and break_.kind in POSTABLE
        and break_.difference_minor != 0
        and break_.state == BreakState.OPEN
    )


@transaction.atomic
def propose(
    *, break_id: int, way: PostingWay, business_on: dt.date, reason: str, actor: User, entry_id: int | None = None
) -> BreakPosting:
    """Propose the posting of a difference, for a second person. entry_id: the booking at our bank, where it was paid to us.

    Who: `wallet.run_reconciliation` on the brand. Raises: NotAllowed, WrongState (resolved, or one waits already),
    DomainError (kind of break, day, too much for rounding).
    """
    break_ = lock(Break, break_id)
    require(reconciliation_policies.can_resolve(actor, break_))
    breaks.require_open(break_)
    if not can_be_posted(break_):
        raise DomainError(_("This break isn't a money difference. Close it with a comment, or correct the movement."))
    if way == PostingWay.OWN_BANK:
        own_bank.require_arrival(break_, entry_id)
    between = _convert(break_)
    difference = between.difference_minor if between else break_.difference_minor
    if way == PostingWay.ROUNDING and abs(difference) > ROUNDING_MAX_MINOR:
        raise DomainError(_("This is too large for a rounding difference. Choose another type."))
    _require_open_day(break_.brand_id, business_on)
    posting = BreakPosting(
        one=break_,
        way=way,
        currency=break_.currency,
        amount_minor=difference,
        business_on=business_on,
        reason=reason,
        movement_id=break_.movement_id,
        entry_id=entry_id if way == PostingWay.OWN_BANK else None,
        **_rate_of(between),
    )
    return approvals.propose(posting, actor=actor)


def _convert(break_: Break) -> BreakConversion | None:
    """Convert a break between two currencies. Raises DomainError (no rate, or the row names another client)."""
    conversion = convert_break(break_)
    if conversion and break_.row and break_.movement and names_another_client(break_.row, break_.movement):
        raise DomainError(_("The row names a different client, so this isn't a money difference."))
    return conversion


def _rate_of(between: BreakConversion | None) -> dict[str, Any]:
    """Collect what a proposal keeps of a conversion, so that the second person posts what the first one saw."""
    if between is None:
        return {}
    return {
        "books_currency": between.books_currency,
        "books_minor": between.books_minor,
        "converted_minor": between.converted_minor,
        "rate": between.rate,
        "rate_on": between.rate_on,
        "is_psp_rate": between.by_psp,
    }


def _require_unchanged(posting: BreakPosting, break_: Break) -> BreakConversion | None:
    """Require that the break is still as it was proposed: a later file may have given it another kind or partner.

    The rate is the one of the proposal, whatever was published since: the second person posts what the first one saw.
    """
    conversion = proposed_conversion(posting)
    if conversion is None:
        same = break_.kind != BreakKind.CURRENCY and posting.amount_minor == break_.difference_minor
    else:
        row, movement = break_.row, break_.movement
        same = (
            break_.kind == BreakKind.CURRENCY
            and row is not None
            and movement is not None
            and (conversion.rows_minor, conversion.currency) == (row.gross_minor, row.currency)
            and (conversion.books_minor, conversion.books_currency) == (movement.amount_minor, movement.currency)
        )
    if not same or posting.movement_id != break_.movement_id or not can_be_posted(break_):
        raise WrongState(_("The break has changed since this was proposed. Reject the proposal and submit a new one."))
    return conversion


def _require_open_day(brand_id: int, day: dt.date) -> None:
    if day > timezone.now().date():
        raise DomainError(_("The business day can't be in the future."))
    closed = Period.objects.filter(brand_id=brand_id, last_day__gte=day).exclude(state=PeriodState.OPEN)
    if closed.exists():
        raise DomainError(_("The books are closed for this day. Choose a later day."))


class PostingApproval(approvals.ApprovalKind[BreakPosting]):
    """The difference is posted, and its break is resolved."""

    model = BreakPosting
    code = "break-posting"
    label = gettext_lazy("Reconciliation posting")
    asks, decides = "wallet.run_reconciliation", "wallet.post_break"
    proposed, approved = WalletAction.BREAK_POSTING_PROPOSED, WalletAction.BREAK_POSTED
    rejected, withdrawn = WalletAction.BREAK_POSTING_REFUSED, WalletAction.BREAK_POSTING_WITHDRAWN
    notice = WalletNotice.BREAK_POSTING
    brand_path = "one__brand_id"
    related = ("one", "entry")
    one_open = ("one",)
    confirm = gettext_lazy("Post this difference?")
    done = gettext_lazy("Difference posted.")

    def client_id(self, item: BreakPosting) -> int | None:
        return item.one.client_id

    def lock(self, pk: int) -> BreakPosting:
        """Locks: the PSP's runs, the break, the proposal; always in this order."""
        known = BreakPosting.objects.select_related("one").get(pk=pk)
        if known.one.psp_id:
            lock_psp(known.one.psp_id)
        lock(Break, known.one_id)
        return super().lock(pk)

    def apply(self, item: BreakPosting, actor: User, **given: Any) -> None:
        """Post the difference and resolve the break.

        Raises: WrongState (the break has changed or is resolved), DomainError (the day is closed by now).
        """
        break_ = item.one
        breaks.require_open(break_)
        _require_open_day(break_.brand_id, item.business_on)
        between = _require_unchanged(item, break_)
        arrival = own_bank.require_arrival(break_, item.entry_id, own=item) if item.entry_id else None
        posted = ledger.post(_entry(item, between, arrival), actor=actor)
        item.journal_id = posted.journal_id
        if break_.kind in PAIRED and break_.row_id and break_.movement_id:
            item.group = make_group(break_, journal_id=posted.journal_id, between=between, actor=actor)
        item.save()
        if break_.kind in OF_RESERVES:
            ReserveItem.objects.filter(row_id=break_.row_id).update(posted_minor=F("posted_minor") + item.amount_minor)
        if arrival is not None:
            _claim_bank_entry(arrival, break_)
        breaks.close(break_, actor, code=Resolved.POSTED, values={"way": item.way})
        if item.group_id and break_.row_id:
            book_again([break_.row_id], actor=actor)

    def title(self, item: BreakPosting) -> LocalizedText:
        return phrase("Reconciliation difference of %(amount)s") % {"amount": item.amount}

    def url(self, item: BreakPosting) -> str:
        return f"/money/reconciliation/breaks/{item.one_id}/"

    def changes(self, item: BreakPosting) -> list[Change]:
        rows = [
            Change(item.get_way_display(), formats.money(item.amount, item.currency, sign=True)),
            Change(_("Business day"), formats.day(item.business_on)),
        ]
        if item.entry is not None:
            rows.append(
                Change(_("Bank entry"), f"{formats.money(item.entry.money)}, {formats.day(item.entry.booked_on)}")
            )
        if item.rate is not None and item.rate_on is not None:
            rows.append(Change(_("Rate"), f"{item.rate.normalize()}, {formats.day(item.rate_on)}"))
        return rows

    def target(self, item: BreakPosting) -> Break:
        return item.one

    def after(self, item: BreakPosting) -> dict[str, Any]:
        return {
            "way": item.way,
            "amount_minor": item.amount_minor,
            "currency": item.currency,
            "journal": item.journal_id,
            **({"bank_entry": item.entry_id} if item.entry_id else {}),
            **({"rate": str(item.rate), "rate_on": str(item.rate_on)} if item.rate else {}),
        }


def _claim_bank_entry(arrival: Arrival, break_: Break) -> None:
    """Mark the bank's entry as a PSP's payout, so that nothing else claims it."""
    entry = arrival.entry
    entry.move_to(EntryState.SETTLEMENT)
    entry.processed_at = timezone.now()
    entry.outcome = (
        f"{break_.psp}: {break_.row.psp_reference or break_.row.merchant_reference}"[:300] if break_.row else ""
    )
    entry.save(update_fields=["state", "processed_at", "outcome"])


def _entry(posting: BreakPosting, between: BreakConversion | None, arrival: Arrival | None) -> Entry:
    break_, way = posting.one, PostingWay(posting.way)
    assert break_.psp_id is not None  # only the PSP leg has differences to post
    psp = Psp.objects.select_related("brand").get(pk=break_.psp_id)
    if arrival is not None:
        return Entry(
            key=f"break:{break_.pk}:post:{posting.pk}",
            lines=own_bank.lines_of(arrival, psp),
            brand_id=break_.brand_id,
            business_on=posting.business_on,
            kind=JournalKind.PSP_SETTLEMENT,
            description=f"{psp} {posting.reason}"[:200],
            rate=arrival.rate,
            rate_on=arrival.entry.booked_on if arrival.rate is not None else None,
        )
    other = ledger.house(OTHER_SIDE[way], brand_id=break_.brand_id, currency=posting.currency)
    if between is None:
        at_the_psp = ledger.psp_reserve if break_.kind in OF_RESERVES else ledger.psp_clearing
        clearing = at_the_psp(psp, posting.currency)
        lines: tuple[Line, ...] = (Line(clearing, -posting.amount_minor), Line(other, posting.amount_minor))
    else:
        lines = lines_between(between, psp=psp, other=other)
    return Entry(
        key=f"break:{break_.pk}:post:{posting.pk}",
        lines=lines,
        brand_id=break_.brand_id,
        business_on=posting.business_on,
        kind=JournalKind.FX if between else KINDS.get(way, JournalKind.ADJUSTMENT),
        description=f"{psp} {posting.reason}"[:200],
        rate=posting.rate,
        rate_on=posting.rate_on,
    )


def make_group(break_: Break, *, journal_id: int, between: BreakConversion | None, actor: Actor) -> MatchGroup:
    """Match the row and the movement of a break, with the difference that was posted."""
    row, movement = break_.row, break_.movement
    assert row is not None and movement is not None and break_.psp_id is not None
    group = MatchGroup.objects.create(
        leg=Leg.PSP,
        psp_id=break_.psp_id,
        rule=MatchRule.ACCEPTED,
        currency=row.currency,
        rows_minor=row.gross_minor,
        books_currency=movement.currency,
        books_minor=movement.amount_minor,
        converted_minor=between.converted_minor if between else None,
        adjustment_minor=between.difference_minor if between else row.gross_minor - movement.amount_minor,
        adjustment_id=journal_id,
        made_by=actor,
        made_at=timezone.now(),
    )
    Match.objects.bulk_create(
        [
            Match(leg=Leg.PSP, row=row, group=group, rule=MatchRule.ACCEPTED),
            Match(leg=Leg.PSP, movement=movement, group=group, rule=MatchRule.ACCEPTED),
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    return group
