"""Decisions of a person about a row and a movement: the same, or not. And undoing any match, with what it posted."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import AuditCode
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import localize, phrase
from crm.models import Actor
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.bank import payout_matching
from wallet.choices.bank import EntryState
from wallet.choices.reconciliation import BreakKind, BreakState, Leg, MatchRule, Resolved, SuggestionState
from wallet.ledger import posting
from wallet.models import BankEntry, Break, Match, MatchGroup, NotTheSame, Psp, PspMovement, SettlementRow, Suggestion
from wallet.psp.waiting_reports import lock_psp
from wallet.reconciliation import policies
from wallet.reconciliation.matching import book_again, rematch


def _lock_open(suggestion_id: int) -> Suggestion:
    psp_id = Suggestion.objects.values_list("psp_id", flat=True).get(pk=suggestion_id)
    lock_psp(psp_id)
    suggestion = lock(Suggestion, suggestion_id, "psp__brand", "row", "movement")
    if suggestion.state != SuggestionState.OPEN:
        raise WrongState(_("This suggestion is already “%(state)s”.") % {"state": suggestion.get_state_display()})
    return suggestion


@transaction.atomic
def accept(*, suggestion_id: int, actor: Actor) -> Suggestion:
    """Accept a suggestion: a match made by a person. A difference is not accepted here: propose its posting on the break.

    Who: `wallet.run_reconciliation` on the PSP's brand. Raises: NotAllowed, WrongState, DomainError (amounts differ).
    """
    suggestion = _lock_open(suggestion_id)
    require(policies.can_reconcile(actor, suggestion.psp))
    if suggestion.difference_minor:
        raise DomainError(
            _("The amounts differ. Propose a posting for the difference on the break; another person approves it.")
        )
    taken = Match.objects.filter(leg=Leg.PSP, row=suggestion.row) | Match.objects.filter(movement=suggestion.movement)
    if taken.exists():
        raise WrongState(_("One of the two has been matched in the meantime."))
    Match.objects.create(leg=Leg.PSP, row=suggestion.row, movement=suggestion.movement, rule=MatchRule.ACCEPTED)
    _decide(suggestion, SuggestionState.ACCEPTED, actor)
    now = timezone.now()
    is_open = {"leg": Leg.PSP, "state": BreakState.OPEN}
    sides = Break.objects.filter(row=suggestion.row) | Break.objects.filter(movement=suggestion.movement, row=None)
    sides.filter(**is_open).exclude(kind="fee").update(
        state=BreakState.RESOLVED, resolved_by=actor, resolved_at=now, resolution_code=Resolved.BY_HAND
    )
    book_again([suggestion.row_id], actor=actor)
    if Break.objects.filter(movement=suggestion.movement, **is_open).exclude(kind="fee").exists():
        rematch(suggestion.psp_id)  # another row was compared with this movement, and its break needs another kind
    _record(suggestion.psp, suggestion, WalletAction.SUGGESTION_ACCEPTED, actor, "")
    return suggestion


@transaction.atomic
def reject(*, suggestion_id: int, actor: Actor, reason: str = "") -> Suggestion:
    """Reject a suggestion: no rule matches or suggests the two again. Who: as for accepting."""
    suggestion = _lock_open(suggestion_id)
    require(policies.can_reconcile(actor, suggestion.psp))
    _note_distinct(
        actor, reason or localize(phrase("Suggestion rejected")), [(suggestion.row_id, suggestion.movement_id, None)]
    )
    _decide(suggestion, SuggestionState.REJECTED, actor)
    _record(suggestion.psp, suggestion, WalletAction.SUGGESTION_REJECTED, actor, reason)
    return suggestion


def _decide(suggestion: Suggestion, state: SuggestionState, actor: Actor) -> None:
    suggestion.move_to(state)
    suggestion.decided_by, suggestion.decided_at = actor, timezone.now()
    suggestion.save(update_fields=["state", "decided_by", "decided_at"])


def _note_distinct(actor: Actor, reason: str, pairs: Iterable[tuple[int, int | None, int | None]]) -> None:
    """Note that a row isn't a movement or bank entry, so that no rule matches them; an earlier note stays."""
    now, known = timezone.now(), list(pairs)
    NotTheSame.objects.bulk_create(
        (
            NotTheSame(
                row_id=row, movement_id=movement, entry_id=entry, said_by=actor, said_at=now, reason=reason[:300]
            )
            for row, movement, entry in known
        ),
        batch_size=1_000,
        ignore_conflicts=True,
    )
    # Two that a person declared different are not suggested any more.
    distinct = NotTheSame.objects.filter(row=OuterRef("row"), movement=OuterRef("movement"))
    Suggestion.objects.filter(
        Exists(distinct), state=SuggestionState.OPEN, row__in={row for row, _movement, _entry in known}
    ).update(state=SuggestionState.VOID)


@transaction.atomic
def undo(*, match_id: int, actor: Actor, reason: str) -> None:
    """Take a match back, whole group and all: fees and conversions follow, an accepted difference is reversed.

    The sides are open again, with their breaks; what was declared different is not matched automatically any more.
    Who: `wallet.run_reconciliation` on the PSP's brand. Raises: NotAllowed, WrongState (undone already), DomainError.
    """
    known = Match.objects.filter(pk=match_id).first()
    if known is None:
        raise WrongState(_("This match is already undone."))
    psp = _psp_of(known)
    require(policies.can_reconcile(actor, psp))
    if not reason.strip():
        raise DomainError(_("Enter why they aren't the same."))
    lock_psp(psp.pk)
    lines = list(Match.objects.filter(group_id=known.group_id) if known.group_id else Match.objects.filter(pk=match_id))
    if not lines:
        raise WrongState(_("This match is already undone."))
    rows = [line.row_id for line in lines if line.row_id]
    movements = [line.movement_id for line in lines if line.movement_id]
    entries = [line.entry_id for line in lines if line.entry_id]
    if known.group_id:
        _undo_group(known.group_id, actor, reason)
    Match.objects.filter(pk__in=[line.pk for line in lines]).delete()
    sides: list[tuple[int | None, int | None]] = [
        *((movement, None) for movement in movements),
        *((None, entry) for entry in entries),
    ]
    _note_distinct(actor, reason, ((row, movement, entry) for row in rows for movement, entry in sides))
    BankEntry.objects.filter(pk__in=entries).update(
        state=EntryState.UNMATCHED,
        outcome=localize(phrase("Match undone: %(reason)s") % {"reason": reason.strip()[:200]}),
    )
    audit.record(
        actor=actor,
        action=WalletAction.MATCH_UNDONE,
        target=psp,
        brand_id=psp.brand_id,
        reason=reason,
        before={
            "rule": known.rule,
            "leg": known.leg,
            "rows": rows[:100],
            "movements": movements[:100],
            "entries": entries[:100],
        },
    )
    if known.leg == Leg.PSP:
        _reopen_sides(psp, rows, movements)
        book_again(rows, actor=actor)
    else:
        payout_matching.match_payouts(psp.brand_id)


def _psp_of(match: Match) -> Psp:
    psps = Psp.objects.select_related("brand")
    if match.row_id:
        return psps.get(settlements__rows=match.row_id)
    assert match.group_id is not None  # a line has both sides, or a group
    return psps.get(pk=MatchGroup.objects.values_list("psp_id", flat=True).get(pk=match.group_id))


def _undo_group(group_id: int, actor: Actor, reason: str) -> None:
    group = lock(MatchGroup, group_id, "adjustment")
    if group.adjustment is not None:
        posting.reverse(
            key=f"match-group:{group.pk}:undo", journal=group.adjustment, description=reason.strip()[:200], actor=actor
        )
    group.undone_at, group.undone_by, group.undone_reason = timezone.now(), actor, reason.strip()[:300]
    group.save(update_fields=["undone_at", "undone_by", "undone_reason"])


def _reopen_sides(psp: Psp, rows: list[int], movements: list[int]) -> None:
    """Both sides get breaks again; the run gives them their names. Who resolved the earlier ones stays known."""
    now = timezone.now()
    Break.objects.bulk_create(
        Break(
            brand_id=psp.brand_id,
            leg=Leg.PSP,
            psp=psp,
            report_id=row.report_id,
            kind=BreakKind.MISSING_HERE,
            row=row,
            currency=row.currency,
            difference_minor=row.gross_minor,
            happened_at=row.booked_at,
            opened_at=now,
        )
        for row in SettlementRow.objects.filter(pk__in=rows)
    )
    rematch(psp.pk)
    # A movement of long ago that shares no reference with the rows is looked at when it has a break of its own.
    named = Break.objects.filter(movement=OuterRef("pk"), leg=Leg.PSP, state=BreakState.OPEN).exclude(
        kind=BreakKind.FEE
    )
    alone = PspMovement.objects.filter(~Exists(named), pk__in=movements, matches=None)
    opened = Break.objects.bulk_create(
        Break(
            brand_id=psp.brand_id,
            leg=Leg.PSP,
            psp=psp,
            kind=BreakKind.MISSING_THERE,
            movement=movement,
            client_id=movement.client_id,
            currency=movement.currency,
            difference_minor=-movement.amount_minor,
            happened_at=movement.occurred_at,
            opened_at=now,
        )
        for movement in alone
    )
    if opened:
        rematch(psp.pk)


def _record(psp: Psp, suggestion: Suggestion, action: AuditCode, actor: Actor, reason: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=suggestion,
        brand_id=psp.brand_id,
        client_id=suggestion.movement.client_id,
        reason=reason,
        after={
            "row": suggestion.row_id,
            "movement": suggestion.movement_id,
            "rule": suggestion.rule,
            "difference_minor": suggestion.difference_minor,
        },
    )
