"""A chat from the client's first line to its transcript: answered, handed over, unanswered, bounded, and never a stranger's."""

import datetime as dt

import pytest
from allauth.usersessions.models import UserSession
from django.utils import timezone

from clients.chat import chats, lines, unanswered
from clients.chat.presence import by_desk, people_for
from clients.models import Chat, ChatLine, Client, Task, TimelineEntry
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, DueRow, Notification
from crm.privacy import erasures
from tests.cast import signed_in
from tests.clients.chat.running import go_online

pytestmark = pytest.mark.django_db


def texts(chat):
    return [(line.kind, line.text) for line in lines.lines_of(chat)]


def begin(cast, text="Hello", **more):
    return chats.start_chat(client_id=cast.client.pk, actor=cast.client_user, text=text, **more)


def expire(chat, kind):
    row = DueRow.objects.get(kind=kind.code, key=str(chat.pk), state="pending")
    kind.handler(row)
    chat.refresh_from_db()


def test_chat_is_answered_handed_over_and_ended(cast):
    go_online(cast.agent)
    chat = begin(cast, "Where is my bonus?", key="k1")
    assert begin(cast, "Where is my bonus?", key="k1") == chat  # a form that is sent twice
    assert (chat.state, chat.desk) == ("waiting", cast.desk)
    assert Notification.objects.get(kind="clients.chat_waiting").user == cast.agent
    chats.write_as_agent(chat_id=chat.pk, actor=cast.agent, text="Let me look.")
    with pytest.raises(WrongState, match="is answering this chat"):
        chats.write_as_agent(chat_id=chat.pk, actor=cast.desk_head, text="Me too")
    with pytest.raises(NotAllowed):
        chats.write_as_agent(chat_id=chat.pk, actor=cast.other_agent, text="Psst")
    with pytest.raises(DomainError, match="doesn't have access"):
        chats.hand_over_chat(chat_id=chat.pk, actor=cast.agent, agent_id=cast.other_agent.pk)
    chats.hand_over_chat(chat_id=chat.pk, actor=cast.agent, agent_id=cast.desk_head.pk, note="Wants a refund")
    answered_at = ChatLine.objects.filter(kind="agent").latest("id").created_at
    begin(cast, "Thanks")
    assert (
        Client.objects.get(pk=cast.client.pk).last_contact_at == answered_at
    )  # what the client writes is no contact of ours
    chats.write_as_agent(chat_id=chat.pk, actor=cast.desk_head, text="It's booked.")
    chat = chats.end_chat(chat_id=chat.pk, actor=cast.desk_head)
    assert texts(chat) == [
        ("client", "Where is my bonus?"),
        ("note", f"{cast.agent} antwortet Ihnen."),  # in the client's language
        ("agent", "Let me look."),
        ("note", f"Der Chat wurde an {cast.desk_head} übergeben."),
        ("client", "Thanks"),
        ("agent", "It's booked."),
        ("note", "Der Chat ist beendet."),
    ]
    assert (chat.state, chat.ended_by, chat.lines_count) == ("ended", cast.desk_head, 7)
    assert TimelineEntry.objects.get(client=cast.client, kind="chat").url == f"/chats/{chat.pk}/"
    codes = (
        AuditEvent.objects.filter(action__startswith="clients.chat_").order_by("pk").values_list("action", flat=True)
    )
    assert [code.removeprefix("clients.chat_") for code in codes] == [
        "availability_set",
        "started",
        "taken",
        "handed_over",
        "ended",
    ]
    with pytest.raises(WrongState, match="has ended"):
        chats.write_as_agent(chat_id=chat.pk, actor=cast.desk_head, text="One more thing")
    assert not Task.objects.exists() and not DueRow.objects.filter(key=str(chat.pk), state="pending").exists()


def test_handed_to_a_desk_the_first_who_takes_it_answers(cast):
    go_online(cast.agent)
    chat = begin(cast)
    chats.take_chat(chat_id=chat.pk, actor=cast.agent)
    with pytest.raises(DomainError, match="No one on this desk"):
        chats.hand_over_chat(chat_id=chat.pk, actor=cast.agent, desk_id=cast.other_desk.pk)
    chat = chats.hand_over_chat(chat_id=chat.pk, actor=cast.agent, desk_id=cast.desk.pk)
    assert (chat.state, chat.agent, chat.desk) == ("waiting", None, cast.desk)
    chat = chats.take_chat(chat_id=chat.pk, actor=cast.desk_head)
    assert (chat.state, chat.agent) == ("open", cast.desk_head)


def test_without_an_agent_online_it_is_a_message_with_a_follow_up(cast):
    go_online(cast.agent)
    UserSession.objects.update(last_seen_at=timezone.now() - dt.timedelta(hours=1))  # available, but gone home
    chat = begin(cast, "Please call me")
    task = Task.objects.get(client=cast.client)
    assert (chat.state, task.assignee, task.created_by) == ("message", cast.agent, None)
    chats.write_as_agent(chat_id=chat.pk, actor=cast.agent, text="I will")
    assert Notification.objects.get(kind="clients.chat_answered").user == cast.client_user


def test_an_unanswered_chat_becomes_a_message(cast):
    go_online(cast.agent)
    chat = begin(cast)
    expire(chat, unanswered.UNANSWERED)
    assert chat.state == "message" and Task.objects.filter(client=cast.client).count() == 1
    chat = chats.take_chat(chat_id=chat.pk, actor=cast.agent)
    Chat.objects.filter(pk=chat.pk).update(last_at=timezone.now() - dt.timedelta(hours=1))
    expire(chat, unanswered.IDLE)
    assert chat.state == "ended" and Task.objects.filter(client=cast.client).count() == 2  # the client wrote last


def test_an_answered_chat_ends_after_silence_and_only_then(cast):
    go_online(cast.agent)
    chat = begin(cast)
    chats.write_as_agent(chat_id=chat.pk, actor=cast.agent, text="Hi")
    expire(chat, unanswered.IDLE)
    assert chat.state == "open"
    Chat.objects.filter(pk=chat.pk).update(last_at=timezone.now() - dt.timedelta(hours=1))
    expire(chat, unanswered.IDLE)
    assert chat.state == "ended" and not Task.objects.exists()


def test_length_and_pace_are_bounded(cast):
    for wrong, why in (("  \x00 ", "Enter a message"), ("x" * 2_001, "at most 2000")):
        with pytest.raises(DomainError, match=why):
            begin(cast, wrong)
    chat = begin(cast, "x" * 2_000)
    for number in range(chats.LINES_PER_MINUTE_MAX - 1):
        begin(cast, f"again {number}")
    with pytest.raises(DomainError, match="very quickly"):
        begin(cast, "again")
    assert ChatLine.objects.filter(chat=chat).count() == 20 and Chat.objects.count() == 1
    with pytest.raises(NotAllowed):
        chats.start_chat(client_id=cast.client.pk, actor=cast.other_client_user, text="Psst")
    with pytest.raises(NotAllowed):
        chats.start_chat(client_id=cast.client.pk, actor=cast.agent, text="I am the client")


def test_lines_are_sealed_and_gone_with_the_key(cast):
    chat = begin(cast, "My IBAN is …")
    assert b"IBAN" not in bytes(ChatLine.objects.get(chat=chat).text_sealed)
    erasures.destroy_client_key(cast.client.pk)
    assert texts(chat) == [("client", "Erased at the client's request.")]


def test_presence_is_shown_per_desk(cast):
    go_online(cast.agent, cast.other_agent)
    desks = {desk.name: desk.online for desk in by_desk(people_for(cast.client).select_related("desk"))}
    assert desks[cast.desk.name] == [cast.agent]
    assert cast.other_agent not in [person for people in desks.values() for person in people]


def test_pages_of_both_sides(cast, django_assert_max_num_queries):
    go_online(cast.agent)
    portal = signed_in(cast.client_user)
    assert "Our team is online" in portal.get("/portal/chat/").content.decode()
    portal.post("/portal/chat/write/", {"text": "<b>Hello</b>", "key": "1"})
    chat = Chat.objects.get()
    browser, address = signed_in(cast.agent), f"/chats/{chat.pk}/"
    browser.get(address)
    for number in range(3):
        portal.post("/portal/chat/write/", {"text": f"Line {number}", "key": f"l{number}"})
    with django_assert_max_num_queries(24):
        page = browser.get(address).content.decode()
    assert "&lt;b&gt;Hello" in page and "Line 2" in page
    browser.get("/chats/")
    with django_assert_max_num_queries(18):
        assert "Clara" in browser.get("/chats/").content.decode()
    browser.post(f"{address}take/")
    answer = browser.post(f"{address}write/", {"text": "Hi Clara", "key": "2"}, headers={"HX-Request": "true"})
    assert "Hi Clara" in answer.content.decode()
    long = browser.post(f"{address}write/", {"text": "x" * 2_001, "key": "3"}, headers={"HX-Request": "true"})
    assert long.status_code == 422 and "at most 2000" in long.content.decode()
    with django_assert_max_num_queries(12):
        fragment = portal.get("/portal/chat/", headers={"HX-Request": "true"}).content.decode()
    assert "Hi Clara" in fragment and "<html" not in fragment
    for path in (address, f"{address}hand-over/"):
        assert signed_in(cast.other_agent).get(path).status_code == 404
    portal.post("/portal/chat/end/")
    assert "Hi Clara" in portal.get(f"/portal/chat/{chat.pk}/").content.decode()
    assert signed_in(cast.other_client_user).get(f"/portal/chat/{chat.pk}/").status_code == 404
    assert signed_in(cast.agent).get("/chats/answers/").status_code == 403


def test_canned_answers_are_filled_in_for_the_client(cast):
    browser = signed_in(cast.support)
    entered = {"brand": cast.brand.pk, "language": "en", "title": "Greeting", "body": "Hello {{ first_name }}"}
    browser.post("/chats/answers/new/", entered)
    wrong = browser.post("/chats/answers/new/", entered | {"title": "Other", "body": "{{ secret }}"})
    assert wrong.status_code == 422 and "Unknown variable: secret" in wrong.content.decode()
    assert browser.post("/chats/answers/new/", entered).status_code == 422  # the title is taken
    cast.client.language = "en"
    cast.client.save(update_fields=["language"])
    chat = begin(cast)
    assert 'data-chat-answer="Hello Clara"' in browser.get(f"/chats/{chat.pk}/").content.decode()
