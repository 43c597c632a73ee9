"""What people do about a break: assign it, comment on it, attach evidence, resolve it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.choices import ApprovalState
from crm.db.locking import lock, lock_all
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.notices import WalletNotice
from wallet.choices.reconciliation import BreakState, Resolved
from wallet.core import attachments
from wallet.models import Break, BreakNote, BreakPosting
from wallet.reconciliation import policies

BULK_MAX = 1_000


def require_open(break_: Break) -> None:
    """Refuse a break that was resolved already.

    Raises: WrongState.
    """
    if break_.state != BreakState.OPEN:
        raise WrongState(_("This break is already resolved."))


@transaction.atomic
def resolve_break(*, break_id: int, actor: Actor, resolution: str) -> Break:
    """Resolve a break with an explanation, without a posting. Who: `wallet.run_reconciliation` on the brand.

    Raises: NotAllowed, WrongState (resolved, or a posting waits for it), DomainError (no explanation).
    """
    break_ = lock(Break, break_id)
    require(policies.can_resolve(actor, break_))
    require_open(break_)
    if BreakPosting.objects.filter(one=break_, state=ApprovalState.PENDING).exists():
        raise WrongState(_("A posting for this break is awaiting second approval. Withdraw it first."))
    if not resolution.strip():
        raise DomainError(_("Enter how it was resolved."))
    close(break_, actor, resolution)
    return break_


def close(
    break_: Break,
    actor: Actor,
    text: str = "",
    *,
    code: Resolved | None = None,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Resolve a break for a person: it doesn't open again, and its row and movement are matched no more.

    text: their own; or a code with values, shown in each reader's language.
    """
    break_.move_to(BreakState.RESOLVED)
    break_.resolved_by, break_.resolved_at = actor, timezone.now()
    break_.resolution, break_.resolution_code, break_.resolution_values = (
        text.strip()[:300],
        code or "",
        dict(values or {}),
    )
    break_.save(
        update_fields=["state", "resolved_by", "resolved_at", "resolution", "resolution_code", "resolution_values"]
    )
    audit.record(
        actor=actor,
        action=WalletAction.BREAK_RESOLVED,
        target=break_,
        brand_id=break_.brand_id,
        client_id=break_.client_id,
        before={"kind": break_.kind, "difference_minor": break_.difference_minor, "currency": break_.currency},
        reason=break_.how_resolved,
    )


@transaction.atomic
def assign_breaks(*, break_ids: Iterable[int], owner_id: int | None, actor: User) -> int:
    """Assign open breaks to an owner; None unassigns them. Returns how many changed.

    Who: `wallet.run_reconciliation` on each one's brand; the owner must be able to resolve them too.
    """
    rows = lock_all(Break, pks=list(break_ids)[:BULK_MAX])
    for row in rows:
        require(policies.can_resolve(actor, row))
    owner = User.objects.filter(pk=owner_id).first() if owner_id else None
    for brand_id in {row.brand_id for row in rows}:
        if owner_id and (owner is None or owner.pk not in people_with("wallet.run_reconciliation", brand_id=brand_id)):
            raise DomainError(_("This person can't resolve breaks of this brand."))
    changed = [row for row in rows if row.state == BreakState.OPEN and row.owner_id != owner_id]
    for row in changed:
        before, row.owner_id = row.owner_id, owner_id
        audit.record(
            actor=actor,
            action=WalletAction.BREAK_GIVEN,
            target=row,
            brand_id=row.brand_id,
            before={"owner": before},
            after={"owner": owner_id},
        )
    Break.objects.bulk_update(changed, ["owner"])
    if owner is not None and owner.pk != actor.pk and changed:
        notify(
            [owner.pk],
            kind=WalletNotice.BREAKS_GIVEN,
            title=phrase("Breaks assigned to you: %(count)s") % {"count": len(changed)},
            body=str(actor),
            url="/money/reconciliation/breaks/?state=open&mine=true",
            dedupe_key=f"breaks-given:{owner.pk}:{secrets.token_hex(6)}",
        )
    return len(changed)


@transaction.atomic
def comment(*, break_id: int, actor: Actor, body: str, file_name: str = "", content: bytes = b"") -> BreakNote:
    """Comment on a break, open or resolved, with or without a file as evidence (kept encrypted).

    Who: `wallet.run_reconciliation` on the brand. Raises: NotAllowed, DomainError (empty, file too large, no room).
    """
    break_ = lock(Break, break_id)
    require(policies.can_resolve(actor, break_))
    if not body.strip() and not content:
        raise DomainError(_("Enter a comment, or choose a file."))
    note = BreakNote(one=break_, author=actor, at=timezone.now(), body=body.strip()[:1000])
    if content:
        attachments.keep(note, attachments.BREAKS, below=break_.pk, name=file_name, content=content)
    note.save()
    audit.record(
        actor=actor,
        action=WalletAction.BREAK_COMMENTED,
        target=break_,
        brand_id=break_.brand_id,
        client_id=break_.client_id,
        after={"body": note.body, "file": note.file_name, "sha256": note.file_sha256},
    )
    return note
