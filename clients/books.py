"""Moving clients between books, and so between agents and desks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from simple_history.utils import bulk_update_with_history

from clients import policies
from clients.audit_codes import ClientsAction
from clients.choices import ClientsNotice, TimelineKind
from clients.models import Client, Task, TimelineEntry
from clients.timeline import entry_texts
from crm.db.locking import lock_all
from crm.errors import DomainError, NotAllowed
from crm.events import ClientMoved, publish_many
from crm.i18n.localized_text import LocalizedText, localize, phrase
from crm.models import Actor, Book, Brand
from crm.notices.notify import notify
from crm.security import audit
from crm.security.scope import reach_of

MOST_AT_ONCE = 5_000


@transaction.atomic
def move_clients(
    *,
    client_ids: Iterable[int],
    to_book_id: int,
    actor: Actor = None,
    reason: LocalizedText = "",
    is_owner_notified: bool = True,
) -> list[Client]:
    """Put clients into another book of their brand; those already there stay untouched. Returns those that moved.

    Four places follow in this transaction: the client's book, the client's owner (the book's), the old owner's open
    tasks, and the record (history, audit, timeline). `leads` hears ClientMoved and moves the lead's assignment.
    is_owner_notified: put it on the new owner's bell (routing has a notification of its own).

    Who: `clients.move_client`, reaching both books; None for the system's routing.
    Raises: NotAllowed; DomainError for a book of another brand or more than 5,000 clients.
    """
    ids = sorted(set(client_ids))
    if len(ids) > MOST_AT_ONCE:
        raise DomainError(_("You can move at most %(most)s clients at a time.") % {"most": MOST_AT_ONCE})
    book = Book.objects.select_related("owner", "desk").filter(pk=to_book_id).first()
    if book is None:
        raise DomainError(_("This book no longer exists. Choose another one."))
    if book.archived_at is not None:
        raise DomainError(_("%(book)s is archived and takes no more clients. Choose another book.") % {"book": book})
    if actor is not None and book.pk not in reach_of(actor).books:
        raise NotAllowed(_("You can't move clients to a book you don't have access to."))
    clients = lock_all(Client, "owner", "book", pks=ids)
    for client in clients:
        policies.require(policies.can_move(actor, client))
        if client.brand_id != book.brand_id:
            raise DomainError(_("%(client)s belongs to a different brand than this book.") % {"client": client})
    moving = [client for client in clients if client.book_id != book.pk]
    if not moving:
        return []
    from_books = {client.pk: client.book for client in moving}
    _hand_over_tasks(moving, book)
    for client in moving:
        client.book, client.owner = book, book.owner
    bulk_update_with_history(moving, Client, ["book", "owner"], batch_size=1000, default_user=actor)
    _record(moving, from_books, book, actor, reason)
    if is_owner_notified and book.owner_id and (actor is None or actor.pk != book.owner_id):
        _notify_new_owner(moving, book)
    return moving


def move_client(*, client_id: int, to_book_id: int, actor: Actor = None, reason: str = "") -> Client:
    """Put one client into another book; see `move_clients`."""
    move_clients(client_ids=[client_id], to_book_id=to_book_id, actor=actor, reason=reason)
    return Client.objects.select_related("book", "owner", "brand").get(pk=client_id)


def _hand_over_tasks(moving: Sequence[Client], book: Book) -> None:
    """Open tasks of the old owner go to the new one; tasks that other people gave themselves stay theirs."""
    if book.owner_id is None:
        return
    by_owner: dict[int, list[int]] = {}
    for client in moving:
        if client.owner_id and client.owner_id != book.owner_id:
            by_owner.setdefault(client.owner_id, []).append(client.pk)
    for owner_id, ids in by_owner.items():
        Task.objects.filter(client_id__in=ids, assignee_id=owner_id, done_at=None).update(assignee_id=book.owner_id)


def _record(
    moving: Sequence[Client], from_books: dict[int, Book], book: Book, actor: Actor, reason: LocalizedText
) -> None:
    audit.record_many(
        {
            "actor": actor,
            "action": ClientsAction.MOVED,
            "target": client,
            "client_id": client.pk,
            "brand_id": client.brand_id,
            "reason": localize(reason),
            "before": {"book": from_books[client.pk].name, "book_id": from_books[client.pk].pk},
            "after": {"book": book.name, "book_id": book.pk, "owner_id": book.owner_id},
        }
        for client in moving
    )
    now = timezone.now()
    TimelineEntry.objects.bulk_create(
        [
            TimelineEntry(
                client=client,
                at=now,
                kind=TimelineKind.LEAD,
                actor=actor,
                **entry_texts(
                    title=phrase("Moved from %(before)s to %(after)s")
                    % {"before": from_books[client.pk].name, "after": book.name},
                    body=reason,
                    data={"from_book": from_books[client.pk].pk, "to_book": book.pk},
                ),
            )
            for client in moving
        ],
        batch_size=1000,
    )
    publish_many(
        (
            ClientMoved(
                client_id=client.pk, brand_id=client.brand_id, from_book_id=from_books[client.pk].pk, to_book_id=book.pk
            )
            for client in moving
        ),
        actor=actor,
    )


def _notify_new_owner(moving: Sequence[Client], book: Book) -> None:
    assert book.owner_id is not None
    only = moving[0] if len(moving) == 1 else None
    notify(
        [book.owner_id],
        kind=ClientsNotice.MOVED,
        title=phrase("%(client)s is now in your book") % {"client": only}
        if only
        else phrase("%(count)s clients are now in your book") % {"count": len(moving)},
        url=only.get_absolute_url() if only else "/clients/",
    )


def has_clients(book: Book) -> str:
    """Refuse to archive a book while clients are in it."""
    if Client.objects.filter(book=book).exists():
        return _("This book has clients. Move them to another book first.")
    return ""


def has_clients_of_its_owner(book: Book) -> str:
    """Refuse another owner while clients are in the book: moving them also moves their tasks and notifies the new agent."""
    if Client.objects.filter(book=book).exists():
        return _("This book has clients. To change their owner, move them to the new owner's book.")
    return ""


def brand_has_clients(brand: Brand) -> str:
    """Refuse another base currency once a brand has clients."""
    if Client.objects.filter(brand=brand).exists():
        return _("This brand has clients, so its base currency can't change.")
    return ""
