"""What clients and staff do in a chat: begin, write, take, hand over, end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.audit_codes import ClientsAction
from clients.brand_policies import CHAT_ANSWER_MINUTES, CHAT_IN_PORTAL
from clients.chat import unanswered
from clients.chat.choices import RUNNING, ChatState, LineKind
from clients.chat.lines import add_line, add_note
from clients.chat.policies import can_answer, is_own
from clients.chat.presence import PEOPLE_MAX, online_for, people_for
from clients.choices import ClientsNotice, TimelineKind
from clients.facts import rebuild_client
from clients.models import Chat, ChatLine, Client
from crm.db.locking import lock
from crm.due import due
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Desk, User
from crm.notices.notify import notify, push_live_many
from crm.security import audit
from crm.security.policies import require

STARTED_PER_DAY_MAX: Final = 20
LINES_PER_MINUTE_MAX: Final = 20
LINES_MAX: Final = 1_000


@transaction.atomic
def start_chat(*, client_id: int, actor: User, text: str, key: str = "") -> Chat:
    """Begin a chat, or write in the one that runs; without an agent online it is a message that becomes a follow-up.

    Who: the client. Raises: NotAllowed; DomainError for an empty or too long text, too many chats or lines, or where the
    brand doesn't offer chat.
    """
    client = lock(Client, client_id, "brand", "book", "owner")
    require(is_own(actor, Chat(client=client)))
    if not CHAT_IN_PORTAL.of(client.brand):
        raise DomainError(_("Chat isn't available. Please write to %(email)s.") % {"email": client.brand.support_email})
    running = Chat.objects.filter(client=client, state__in=RUNNING).first()
    if running is not None:
        return _write_again(running.pk, actor, text, key)
    now = timezone.now()
    recent = Chat.objects.filter(client=client, started_at__gt=now - dt.timedelta(days=1))
    if recent.count() >= STARTED_PER_DAY_MAX:
        raise DomainError(
            _("You've started many chats today. Please write to %(email)s.") % {"email": client.brand.support_email}
        )
    online = list(online_for(client).values_list("pk", flat=True)[:PEOPLE_MAX])
    chat = Chat.objects.create(
        client=client,
        sealed_for=client,
        desk=client.book.desk,
        state=ChatState.WAITING if online else ChatState.MESSAGE,
        started_at=now,
        waiting_since=now,
        last_at=now,
    )
    add_line(chat, LineKind.CLIENT, actor, text, key)
    _audit(chat, ClientsAction.CHAT_STARTED, actor)
    add_to_timeline(chat)
    if online:
        _call_agents(chat, online)
        due(unanswered.UNANSWERED, key=chat.pk, at=_answer_by(chat), client_id=client.pk, brand_id=client.brand_id)
    else:
        unanswered.set_follow_up(chat)
    _refresh(chat, online)
    return chat


@transaction.atomic
def take_chat(*, chat_id: int, actor: User) -> Chat:
    """Become the one who answers, also instead of a colleague.

    Who: `clients.log_call` in reach. Raises: NotAllowed; WrongState once it ended.
    """
    chat = _locked(chat_id)
    require(can_answer(actor, chat))
    _require_running(chat)
    if chat.agent_id == actor.pk and chat.state == ChatState.OPEN:
        return chat
    before = chat.agent_id
    if chat.state != ChatState.OPEN:
        chat.move_to(ChatState.OPEN)
    chat.agent = actor
    chat.save(update_fields=["state", "agent"])
    add_note(chat, phrase("%(person)s is answering.") % {"person": str(actor)})
    due(
        unanswered.IDLE,
        key=chat.pk,
        at=unanswered.idle_at(chat),
        client_id=chat.client_id,
        brand_id=chat.client.brand_id,
    )
    _audit(chat, ClientsAction.CHAT_TAKEN, actor)
    _refresh(chat, [before] if before else [])
    return chat


@transaction.atomic
def write_as_agent(*, chat_id: int, actor: User, text: str, key: str = "") -> Chat:
    """Answer a client; a chat without an agent is taken with it.

    Who: `clients.log_call` in reach. Raises: NotAllowed; WrongState once it ended, or while a colleague answers it;
    DomainError for an empty or too long text.
    """
    lock(Client, Chat.objects.values_list("client_id", flat=True).get(pk=chat_id))  # before the chat, as its start does
    chat = _locked(chat_id)
    require(can_answer(actor, chat))
    _require_running(chat)
    was_left = chat.state == ChatState.MESSAGE
    if chat.state != ChatState.OPEN:
        take_chat(chat_id=chat.pk, actor=actor)
        chat.refresh_from_db()
    elif chat.agent_id != actor.pk:
        raise WrongState(_("%(person)s is answering this chat. Take it first.") % {"person": chat.agent})
    if add_line(chat, LineKind.AGENT, actor, text, key) is None:
        return chat
    chat.awaits_reply = False
    chat.answered_at = chat.answered_at or timezone.now()
    chat.save(update_fields=["awaits_reply", "answered_at"])
    rebuild_client(chat.client_id, "last_contact_at")
    if was_left and chat.client.user_id:
        notify(
            [chat.client.user_id],
            kind=ClientsNotice.CHAT_ANSWERED,
            title=phrase("We've answered your message"),
            url="/portal/chat/",
            dedupe_key=f"clients.chat_answered:{chat.pk}",
        )
    _refresh(chat)
    return chat


@transaction.atomic
def hand_over_chat(
    *, chat_id: int, actor: User, agent_id: int | None = None, desk_id: int | None = None, note: str = ""
) -> Chat:
    """Give a chat to a colleague, or to a desk where the first to take it answers. The note is for staff only.

    Who: `clients.log_call` in reach. Raises: NotAllowed; WrongState once it ended; DomainError where they don't reach the client.
    """
    chat = _locked(chat_id)
    require(can_answer(actor, chat))
    _require_running(chat)
    people = people_for(chat.client).exclude(pk=actor.pk)
    if agent_id is not None:
        colleague = people.filter(pk=agent_id).first()
        if colleague is None:
            raise DomainError(_("This person doesn't have access to this client."))
        readers, to = [colleague.pk], str(colleague)
        if chat.state != ChatState.OPEN:
            chat.move_to(ChatState.OPEN)
        chat.agent = colleague
    else:
        desk = Desk.objects.filter(pk=desk_id or 0, brand_id=chat.client.brand_id, archived_at=None).first()
        readers = list(people.filter(desk=desk).values_list("pk", flat=True)) if desk is not None else []
        if desk is None or not readers:
            raise DomainError(_("No one on this desk has access to this client."))
        to = desk.name
        if chat.state != ChatState.WAITING:
            chat.move_to(ChatState.WAITING)
        chat.agent, chat.desk = None, desk
    chat.waiting_since = timezone.now()
    chat.save(update_fields=["state", "agent", "desk", "waiting_since"])
    add_note(chat, phrase("The chat was handed over to %(to)s.") % {"to": to})
    due(
        unanswered.UNANSWERED, key=chat.pk, at=_answer_by(chat), client_id=chat.client_id, brand_id=chat.client.brand_id
    )
    _audit(chat, ClientsAction.CHAT_HANDED_OVER, actor, reason=note.strip()[:300])
    _call_agents(chat, readers, body=note.strip()[:300])
    _refresh(chat, [actor.pk, *readers])
    return chat


@transaction.atomic
def end_chat(*, chat_id: int, actor: User) -> Chat:
    """End a chat. Who: its client; `clients.log_call` in reach. Raises: NotAllowed; WrongState once it ended."""
    chat = _locked(chat_id)
    require(is_own(actor, chat) or can_answer(actor, chat))
    _require_running(chat)
    unanswered.close(chat, actor, has_follow_up=chat.awaits_reply and actor.is_client)
    _audit(chat, ClientsAction.CHAT_ENDED, actor)
    _refresh(chat)
    return chat


def _write_again(chat_id: int, actor: User, text: str, key: str) -> Chat:
    """Add a client's line to the chat that runs, which may have ended meanwhile."""
    chat = _locked(chat_id)
    _require_running(chat)
    minute_ago = timezone.now() - dt.timedelta(minutes=1)
    lines = ChatLine.objects.filter(chat=chat, kind=LineKind.CLIENT, created_at__gt=minute_ago)
    if lines.count() >= LINES_PER_MINUTE_MAX:
        raise DomainError(_("You're sending messages very quickly. Wait a minute, then send this one again."))
    if chat.lines_count >= LINES_MAX:
        raise DomainError(_("This chat is very long. End it and start a new one."))
    if add_line(chat, LineKind.CLIENT, actor, text, key) is None:
        return chat
    if not chat.awaits_reply:
        chat.awaits_reply, chat.waiting_since = True, timezone.now()
        chat.save(update_fields=["awaits_reply", "waiting_since"])
        if chat.state == ChatState.OPEN:
            due(
                unanswered.UNANSWERED,
                key=chat.pk,
                at=_answer_by(chat),
                client_id=chat.client_id,
                brand_id=chat.client.brand_id,
            )
    _refresh(chat)
    return chat


def add_to_timeline(chat: Chat) -> None:
    """Write the chat on the client's timeline; its page has the transcript."""
    timeline.add_entry(
        client_id=chat.client_id,
        kind=TimelineKind.CHAT,
        title=phrase("Chat from the client portal"),
        url=chat.get_absolute_url(),
        at=chat.started_at,
        dedupe_key=f"chat:{chat.pk}",
        data={"chat_id": chat.pk},
    )


def _locked(chat_id: int) -> Chat:
    return lock(Chat, chat_id, "client__brand", "client__book", "client__owner", "agent")


def _require_running(chat: Chat) -> None:
    if not chat.is_running:
        raise WrongState(_("This chat has ended."))


def _answer_by(chat: Chat) -> dt.datetime:
    return chat.waiting_since + dt.timedelta(minutes=CHAT_ANSWER_MINUTES.of(chat.client.brand))


def _call_agents(chat: Chat, people: Iterable[int], body: str = "") -> None:
    """Put a waiting chat on the bell of everybody who could take it."""
    notify(
        people,
        kind=ClientsNotice.CHAT_WAITING,
        title=phrase("Chat: %(client)s") % {"client": chat.client},
        body=body,
        url=chat.get_absolute_url(),
        dedupe_key=f"clients.chat_waiting:{chat.pk}:{int(chat.waiting_since.timestamp())}",
    )


def _refresh(chat: Chat, more: Iterable[int] = ()) -> None:
    """Have the open pages of both sides read the chat again."""
    people = {chat.client.user_id, chat.agent_id, *more} - {None}
    push_live_many("chat", [(pk, {"id": chat.pk}) for pk in sorted(pk for pk in people if pk)])


def _audit(chat: Chat, action: ClientsAction, actor: User, reason: str = "") -> None:
    audit.record(
        actor=actor,
        action=action,
        target=chat,
        client_id=chat.client_id,
        brand_id=chat.client.brand_id,
        after={"state": chat.state, "agent_id": chat.agent_id, "desk_id": chat.desk_id},
        reason=reason,
    )
