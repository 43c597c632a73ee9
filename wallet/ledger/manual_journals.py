"""Manual journals: written by one person with a reason, posted by another one.

Nothing moves while a journal waits. Posting goes through `ledger.post` under the key `manual:<reference>:post`, so a second
click posts nothing. A reversal mirrors its journal line by line and points at it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import TimelineKind
from clients.timeline import add_entry
from crm import approvals
from crm.approvals import Change, kind_of
from crm.approvals.kinds import require_waiting
from crm.choices import ApprovalState
from crm.errors import DomainError, IdempotencyConflict, WrongState
from crm.events import publish
from crm.events.catalogue_money import ManualJournalPosted
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, Brand, User
from crm.money.amounts import Money
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.ledger import BOUNDED_KINDS, AccountKind, JournalKind, Layer, Phase
from wallet.choices.month_end import PeriodState
from wallet.choices.notices import WalletNotice
from wallet.core import attachments
from wallet.core.amounts import MINOR_MAX
from wallet.core.references import new_reference
from wallet.ledger import policies as ledger_policies
from wallet.ledger import posting as ledger
from wallet.ledger.posting import Entry, Line
from wallet.models import Balance, Journal, ManualJournal, ManualJournalFile, ManualLine, Period, Posting

LINES_MAX = 60
FILES_MAX = 10
# Client credit moves with its grant only, or the two would differ.
OF_MOVEMENTS = frozenset({"deposit", "withdrawal", "transfer", "bonus", "exchange", "ib-settlement", "ib-payout"})
NOT_BY_HAND = frozenset({AccountKind.BONUS, AccountKind.PSP_RESERVE})


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class JournalDraft:
    """A journal as finance writes it.

    lines: signed minor units, above zero credits. rate, rate_on: needed when it moves money between currencies.
    reverses_id: the journal that it mirrors. files: (name, content) of the evidence.
    """

    lines: Sequence[Line]
    business_on: dt.date
    reason: str
    rate: Decimal | None = None
    rate_on: dt.date | None = None
    reverses_id: int | None = None
    files: Sequence[tuple[str, bytes]] = ()


@transaction.atomic
def write_journal(*, brand_id: int, draft: JournalDraft, request_key: str, actor: User) -> ManualJournal:
    """Write a manual journal, which a second person posts. The same request_key with the same lines is the same journal.

    Who: `wallet.write_journal` on the brand. Raises: NotAllowed, DomainError (in words), IdempotencyConflict.
    """
    brand = Brand.objects.get(pk=brand_id)
    require(ledger_policies.can_write_journal(actor, brand_id))
    known = ManualJournal.objects.filter(requested_by=actor, request_key=request_key).first()
    if known is not None:
        return _same_or_conflict(known, draft)
    _require_body(brand_id, draft)
    _require_open_day(brand_id, draft.business_on)
    if draft.reverses_id is not None:
        _require_mirror(brand_id, draft.reverses_id, draft.lines)
    _require_funds(draft.lines)
    manual = ManualJournal(
        brand=brand,
        reference=new_reference("M"),
        request_key=request_key,
        business_on=draft.business_on,
        rate=draft.rate,
        rate_on=draft.rate_on,
        reverses_id=draft.reverses_id,
        reason=draft.reason,
    )

    def save_parts() -> None:
        ManualLine.objects.bulk_create(
            ManualLine(manual=manual, line=place, account=line.account, amount_minor=line.amount_minor)
            for place, line in enumerate(draft.lines, start=1)
        )
        for name, content in draft.files:
            _attach(manual, name, content, actor)

    return approvals.propose(manual, actor=actor, save_parts=save_parts)


def _same_or_conflict(known: ManualJournal, draft: JournalDraft) -> ManualJournal:
    stored = list(known.lines.order_by("line").values_list("account_id", "amount_minor"))
    drafted = [(line.account.pk, line.amount_minor) for line in draft.lines]
    if (stored, known.business_on) != (drafted, draft.business_on):
        raise IdempotencyConflict(_("This form was already submitted with different lines. Start again."))
    return known


def currency_sums(lines: Sequence[Line]) -> dict[str, int]:
    """Sum lines per currency, in minor units: zero when debits and credits are equal."""
    sums: dict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.account.currency] += line.amount_minor
    return dict(sums)


def _require_body(brand_id: int, draft: JournalDraft) -> None:
    """Refuse a journal that the ledger would refuse, with a sentence that says what to do."""
    lines, rate, rate_on = draft.lines, draft.rate, draft.rate_on
    if len(lines) < 2:
        raise DomainError(_("A journal needs at least two lines: a debit and a credit."))
    if len(lines) > LINES_MAX:
        raise DomainError(_("A manual journal can have at most %(count)s lines.") % {"count": LINES_MAX})
    for line in lines:
        if line.account.brand_id != brand_id:
            raise DomainError(_("%(account)s belongs to another brand.") % {"account": line.account})
        if line.account.kind in NOT_BY_HAND:
            raise DomainError(_("Client credit can't be posted manually. Grant or revoke the bonus instead."))
        if not line.amount_minor or abs(line.amount_minor) >= MINOR_MAX:
            raise DomainError(_("%(account)s: the amount is zero or too large.") % {"account": line.account})
    sums = currency_sums(lines)
    wrong = [Money.of_minor(abs(minor), code) for code, minor in sorted(sums.items()) if minor]
    if wrong:
        raise DomainError(_("Debits and credits differ by %(sums)s.") % {"sums": ", ".join(map(formats.money, wrong))})
    if len(sums) > 1 and draft.reverses_id is None and (rate is None or rate_on is None):
        raise DomainError(_("Enter the exchange rate and its date for lines in two currencies."))
    if (rate is None) != (rate_on is None):
        raise DomainError(_("Enter both the rate and its date."))
    if rate is not None and rate <= 0:
        raise DomainError(_("Enter a rate above zero."))


def _require_open_day(brand_id: int, day: dt.date) -> None:
    if day > timezone.now().astimezone(dt.UTC).date():
        raise DomainError(_("The business day can't be in the future."))
    closed = (
        Period.objects.filter(brand_id=brand_id, last_day__gte=day)
        .exclude(state=PeriodState.OPEN)
        .order_by("-last_day")
        .first()
    )
    if closed is not None:
        raise DomainError(
            _("The books are closed up to %(day)s. Choose a later business day or request reopening of the month.")
            % {"day": closed.last_day.isoformat()}
        )


def _require_mirror(brand_id: int, journal_id: int, lines: Sequence[Line]) -> None:
    journal = Journal.objects.filter(pk=journal_id, brand_id=brand_id).first()
    if journal is None or journal.phase not in (Phase.POSTED, Phase.POST):
        raise DomainError(_("Only posted journals can be reversed. Release the reservation instead."))
    if belongs_to_a_movement(journal):
        raise DomainError(
            _("This journal belongs to a money movement. Reverse the movement instead so that its state stays correct.")
        )
    if Journal.objects.filter(reverses_id=journal_id).exists():
        raise WrongState(_("This journal was already reversed."))
    waiting = ManualJournal.objects.filter(reverses_id=journal_id, state=ApprovalState.PENDING)
    if waiting.exists():
        raise WrongState(_("A reversal of this journal is already awaiting second approval."))
    if sorted((line.account.pk, line.amount_minor) for line in lines) != sorted(
        (line.account.pk, line.amount_minor) for line in mirror_of(journal)
    ):
        raise DomainError(
            _("A reversal mirrors the journal line by line. For anything else, create a separate journal.")
        )


def belongs_to_a_movement(journal: Journal) -> bool:
    """Tell whether a journal books a deposit, withdrawal or the like, whose own state depends on it.

    Journals by hand, fees and imports don't.
    """
    return journal.idempotency_key.partition(":")[0] in OF_MOVEMENTS


def mirror_of(journal: Journal) -> list[Line]:
    """Compute the lines that reverse a posted journal."""
    postings = Posting.objects.filter(journal=journal, layer=Layer.MONEY).select_related("account").order_by("line")
    return [Line(posting.account, -posting.amount_minor) for posting in postings]


def _require_funds(lines: Sequence[Line]) -> None:
    """Refuse lines that overdraw a bounded account now; the ledger checks again when the journal is posted."""
    taken: dict[int, int] = defaultdict(int)
    bounded = {line.account.pk: line.account for line in lines if line.account.kind in BOUNDED_KINDS}
    for line in lines:
        if line.account.pk in bounded:
            taken[line.account.pk] -= line.amount_minor
    for balance in Balance.objects.filter(pk__in=bounded):
        if taken[balance.pk] > balance.available_minor:
            account = bounded[balance.pk]
            free = formats.money(Money.of_minor(balance.available_minor, account.currency))
            raise ledger.InsufficientFunds(
                _("%(account)s has only %(free)s available.") % {"account": account, "free": free}
            )


# ── deciding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class JournalApproval(approvals.ApprovalKind[ManualJournal]):
    """A manual journal, posted when a second person approves it."""

    model = ManualJournal
    code = "manual-journal"
    label = gettext_lazy("Manual journal")
    asks, decides = "wallet.write_journal", "wallet.post_manual_journal"
    proposed, approved = WalletAction.MANUAL_JOURNAL_WRITTEN, WalletAction.MANUAL_JOURNAL_POSTED
    rejected, withdrawn = WalletAction.MANUAL_JOURNAL_REFUSED, WalletAction.MANUAL_JOURNAL_WITHDRAWN
    notice = WalletNotice.MANUAL_JOURNAL
    brand_path = "brand_id"
    related = ("brand",)
    one_open = ("reverses",)
    confirm = gettext_lazy("Post this journal?")
    done = gettext_lazy("Journal posted.")

    def client_id(self, item: ManualJournal) -> int | None:
        """Return the client whom the journal is about, None where it is about none or several."""
        clients = set(item.lines.filter(account__client__isnull=False).values_list("account__client_id", flat=True))
        return clients.pop() if len(clients) == 1 else None

    def apply(self, item: ManualJournal, actor: User, **given: Any) -> None:
        """Post the journal. Raises: InsufficientFunds, DomainError (the month was closed meanwhile)."""
        _require_open_day(item.brand_id, item.business_on)
        lines = lines_of(item)
        is_for_a_client = any(line.account.client_id for line in lines)
        posted = ledger.post(
            Entry(
                key=f"manual:{item.reference}:post",
                kind=JournalKind.REVERSAL if item.reverses_id else JournalKind.ADJUSTMENT,
                brand_id=item.brand_id,
                lines=lines,
                business_on=item.business_on,
                reverses_id=item.reverses_id,
                # A client reads the description on their statement: the reason is the broker's own.
                description=item.reference if is_for_a_client else f"{item.reference} · {item.reason}"[:200],
                rate=item.rate,
                rate_on=item.rate_on,
            ),
            actor=actor,
        )
        item.journal_id = posted.journal_id
        publish(
            ManualJournalPosted(brand_id=item.brand_id, manual_id=item.pk, journal_id=posted.journal_id), actor=actor
        )
        _tell_clients(item, lines, actor)

    def title(self, item: ManualJournal) -> LocalizedText:
        return phrase("Manual journal %(reference)s") % {"reference": item.reference}

    def url(self, item: ManualJournal) -> str:
        return f"/money/journals/{item.pk}/"

    def changes(self, item: ManualJournal) -> list[Change]:
        lines = [
            Change(
                str(line.account), formats.money(Money.of_minor(line.amount_minor, line.account.currency), sign=True)
            )
            for line in lines_of(item)
        ]
        return [*lines, Change(_("Business day"), formats.day(item.business_on))]

    def after(self, item: ManualJournal) -> dict[str, Any]:
        return {
            "reference": item.reference,
            "business_on": item.business_on.isoformat(),
            "lines": [
                f"{line.account.pk}: {Money.of_minor(line.amount_minor, line.account.currency)}"
                for line in lines_of(item)
            ],
        }


def lines_of(manual: ManualJournal) -> list[Line]:
    """List the lines of a manual journal in their order, with their accounts."""
    rows = manual.lines.select_related("account__client", "account__psp").defer(
        "account__client__search_text", "account__psp__sealed_credentials"
    )
    return [Line(row.account, row.amount_minor) for row in rows.order_by("line")]


@transaction.atomic
def attach_file(*, manual_id: int, file_name: str, content: bytes, actor: Actor) -> ManualJournalFile:
    """Attach evidence to a journal that waits; it can't be removed. The same file twice is one.

    Who: whoever may write journals of the brand. Raises: NotAllowed, WrongState, DomainError (empty, too large, too many).
    """
    manual = kind_of(ManualJournal).lock(manual_id)
    require(ledger_policies.can_write_journal(actor, manual.brand_id))
    require_waiting(kind_of(ManualJournal), manual)
    return _attach(manual, file_name, content, actor)


def _attach(manual: ManualJournal, name: str, content: bytes, actor: Actor) -> ManualJournalFile:
    if not content:
        raise DomainError(_("This file is empty."))
    known = manual.files.filter(file_sha256=hashlib.sha256(content).hexdigest()).first()
    if known is not None:
        return known
    if manual.files.count() >= FILES_MAX:
        raise DomainError(_("A journal can have at most %(count)s files.") % {"count": FILES_MAX})
    file = ManualJournalFile(manual=manual, author=actor, at=timezone.now())
    attachments.keep(file, attachments.JOURNALS, below=manual.pk, name=name, content=content)
    file.save(force_insert=True)
    audit.record(
        actor=actor,
        action=WalletAction.MANUAL_JOURNAL_FILE,
        target=manual,
        brand_id=manual.brand_id,
        after={
            "reference": manual.reference,
            "file": file.file_name,
            "sha256": file.file_sha256,
            "bytes": file.file_bytes,
        },
    )
    return file


def _tell_clients(manual: ManualJournal, lines: Sequence[Line], actor: User) -> None:
    """Note on the clients' timelines by how much their wallet changed; the reason stays with staff."""
    changed: dict[tuple[int, str], int] = defaultdict(int)
    for line in lines:
        if line.account.client_id and line.account.kind == AccountKind.CLIENT_WALLET:
            changed[line.account.client_id, line.account.currency] += line.amount_minor
    for (client_id, currency), minor in changed.items():
        money = Money.of_minor(minor, currency)
        add_entry(
            client_id=client_id,
            kind=TimelineKind.PAYMENT,
            actor=actor,
            url=f"/money/journals/{manual.pk}/",
            title=phrase("Wallet correction: %(money)s") % {"money": money},
            body=manual.reference,
            dedupe_key=f"manual:{manual.pk}:{currency}",
            is_visible_to_client=True,
        )
