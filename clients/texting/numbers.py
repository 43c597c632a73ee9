"""A number's keyed hash, whose conversation it is, and whether it has opted out of a channel."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.audit_codes import ClientsAction
from clients.choices import IdentifierKind
from clients.identifiers.keeping import mark_of
from clients.messages import policies
from clients.models import TextOptOut, TextThread
from clients.texting.choices import OptOutReason
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import User
from crm.security import audit
from crm.security.policies import require

# What carriers take for an opt-out, in English and German; only where it is the whole message.
STOPS: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE", "STOPP"})
STARTS: Final = frozenset({"START", "UNSTOP"})


def number_mark(number: str) -> bytes:
    """Hash a number in E.164 with the installation's key, as `Identifier` does."""
    return mark_of(IdentifierKind.PHONE, number)


def word_of(text: str) -> str:
    """Read a message as a single word, in capitals and without punctuation; "" for more than one."""
    words = text.split()
    return "".join(letter for letter in words[0] if letter.isalnum()).upper() if len(words) == 1 else ""


def opt_out_of(brand_id: int, channel: str, mark: bytes) -> TextOptOut | None:
    """Find why a number gets no messages on a channel now."""
    rows = TextOptOut.objects.filter(brand=brand_id, channel=channel, number_mark=mark, lifted_at=None)
    return rows.order_by("added_at").first()


def opt_out(thread: TextThread, reason: OptOutReason, *, by: User | None = None) -> bool:
    """Send a thread's number no more messages; False where it has opted out for this reason already."""
    row, is_new = TextOptOut.objects.get_or_create(
        brand_id=thread.brand_id,
        channel=thread.channel,
        number_mark=thread.number_mark,
        reason=reason,
        lifted_at=None,
        defaults={"added_by": by},
    )
    if is_new:
        _audit(row, ClientsAction.TEXT_OPTED_OUT, by, thread, reason.value)
    return is_new


def opt_in(thread: TextThread) -> bool:
    """Let a number that wrote START get messages again. What a person added stays."""
    rows = TextOptOut.objects.filter(
        brand=thread.brand_id, channel=thread.channel, number_mark=thread.number_mark, lifted_at=None
    )
    rows = rows.filter(reason__in=[OptOutReason.STOP, OptOutReason.REFUSED])
    found = list(rows)
    for row in found:
        row.lifted_at, row.lift_reason = timezone.now(), "START"
        row.save(update_fields=["lifted_at", "lift_reason"])
        _audit(row, ClientsAction.TEXT_OPTED_IN, None, thread, "START")
    return bool(found)


@transaction.atomic
def change_opt_out(*, thread_id: int, actor: User, reason: str) -> bool:
    """Send a number no more messages, or let it get them again; returns whether it gets them now.

    Who: `clients.lift_suppression` on the whole brand. Raises: NotAllowed; DomainError without a reason; WrongState for a
    conversation whose number was erased.
    """
    thread = lock(TextThread, thread_id)
    require(policies.can_lift(actor, thread.brand_id))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    if thread.number_mark is None:
        raise WrongState(_("This number was erased."))
    row = opt_out_of(thread.brand_id, thread.channel, bytes(thread.number_mark))
    if row is None:
        opt_out(thread, OptOutReason.MANUAL, by=actor)
        return False
    values = {"lifted_by": actor, "lifted_at": timezone.now(), "lift_reason": reason.strip()[:300]}
    TextOptOut.objects.filter(
        brand=thread.brand_id, channel=thread.channel, number_mark=thread.number_mark, lifted_at=None
    ).update(**values)
    _audit(row, ClientsAction.TEXT_OPTED_IN, actor, thread, reason.strip()[:300])
    return True


def _audit(row: TextOptOut, action: ClientsAction, actor: User | None, thread: TextThread, reason: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=row,
        client_id=thread.client_id,
        brand_id=row.brand_id,
        after={"channel": row.channel, "thread": thread.pk},
        reason=reason,
    )
