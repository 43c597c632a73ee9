"""Chats that wait too long: without an answer they become a message with a follow-up, and a silent one ends."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext_lazy

from clients.chat.choices import ChatState
from clients.chat.lines import add_note
from clients.chat.presence import people_for
from clients.choices import ClientsNotice
from clients.followups import add_task
from clients.models import Chat
from crm.db.locking import lock_or_none
from crm.due import DueKind, cancel, declare, due
from crm.i18n.localized_text import localize, phrase
from crm.models import DueRow, User
from crm.notices.notify import notify, push_live_many

SILENCE = dt.timedelta(minutes=30)
MESSAGE_KEPT = dt.timedelta(days=7)
FOLLOW_UP_WITHIN = dt.timedelta(hours=4)


def idle_at(chat: Chat) -> dt.datetime:
    """When a chat ends if nothing more is written."""
    return chat.last_at + (SILENCE if chat.state == ChatState.OPEN else MESSAGE_KEPT)


def set_follow_up(chat: Chat) -> None:
    """Have a person answer what was left without one: the chat's agent, else the client's owner, else who else reaches them."""
    due(IDLE, key=chat.pk, at=idle_at(chat), client_id=chat.client_id, brand_id=chat.client.brand_id)
    people = people_for(chat.client)
    wanted = [pk for pk in (chat.agent_id, chat.client.owner_id) if pk]
    assignee = (
        people.filter(pk__in=wanted).order_by("-pk").first() or people.filter(desk=chat.desk).first() or people.first()
    )
    if assignee is None:
        return
    add_task(
        client_id=chat.client_id,
        actor=None,
        title=localize(phrase("Answer the client's chat message")),
        due_at=timezone.now() + FOLLOW_UP_WITHIN,
        assignee_id=assignee.pk,
    )


def close(chat: Chat, actor: User | None, *, has_follow_up: bool) -> None:
    """End a locked chat, with a follow-up where the client wrote last."""
    if has_follow_up and chat.state != ChatState.MESSAGE:
        set_follow_up(chat)
    chat.move_to(ChatState.ENDED)
    chat.ended_at, chat.ended_by = timezone.now(), actor
    add_note(chat, phrase("The chat has ended."))
    chat.save(update_fields=["state", "ended_at", "ended_by"])
    cancel(UNANSWERED, chat.pk)
    cancel(IDLE, chat.pk)


def _locked(row: DueRow) -> Chat | None:
    chat = lock_or_none(Chat, int(row.key), "client__brand", "client__book", "client__owner", "agent")
    return chat if chat is not None and chat.is_running else None


def _remind(row: DueRow) -> None:
    """Turn a chat that nobody took into a message; remind the agent of one that was taken."""
    chat = _locked(row)
    if chat is None or not chat.awaits_reply or chat.state == ChatState.MESSAGE:
        return
    if chat.state == ChatState.OPEN and chat.agent_id is not None:
        notify(
            [chat.agent_id],
            kind=ClientsNotice.CHAT_WAITING,
            title=phrase("Awaiting your answer: %(client)s") % {"client": chat.client},
            url=chat.get_absolute_url(),
            dedupe_key=f"clients.chat_reminder:{chat.pk}:{int(chat.waiting_since.timestamp())}",
        )
        return
    chat.move_to(ChatState.MESSAGE)
    chat.save(update_fields=["state"])
    set_follow_up(chat)
    if chat.client.user_id:
        push_live_many("chat", [(chat.client.user_id, {"id": chat.pk})])


def _end_if_silent(row: DueRow) -> None:
    """End a chat in which nothing was written for a while."""
    chat = _locked(row)
    if chat is None:
        return
    if idle_at(chat) > timezone.now():
        due(IDLE, key=chat.pk, at=idle_at(chat), client_id=chat.client_id, brand_id=chat.client.brand_id)
        return
    close(chat, None, has_follow_up=chat.awaits_reply)
    people = [pk for pk in (chat.client.user_id, chat.agent_id) if pk]
    push_live_many("chat", [(pk, {"id": chat.pk}) for pk in people])


UNANSWERED = declare(DueKind("clients.chat_unanswered", gettext_lazy("Unanswered chat"), _remind))
IDLE = declare(DueKind("clients.chat_idle", gettext_lazy("End of a silent chat"), _end_if_silent))
