"""Undoing, drafts, quiet hours, and unsubscribing in one click."""

import datetime as dt

import pytest
import time_machine
from django.core import mail as outbox
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from clients.mail import deliver_due, send_mail_to, undo_message, write_to_client
from clients.messages import files
from clients.messages.drafts import draft_of
from clients.messages.outgoing import is_marketing
from clients.models import Client, Message, SentAttachment, Suppression, TimelineEntry
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent, AuditEvent
from crm.security import audit
from portal.consents import change_marketing
from tests.brand_policies import set_policies
from tests.cast import signed_in
from tests.outbox import send_now

pytestmark = pytest.mark.django_db


def _write(cast, **fields) -> Message:
    values = {"template": "clients.free_text", "subject": "Offer", "message": "Hi Clara"}
    return write_to_client(client_id=cast.client.pk, actor=cast.agent, **{**values, **fields})


def _marketing(cast, template: str) -> Message:
    Client.objects.filter(pk=cast.client.pk).update(marketing_consent=True)
    cast.brand.loss_percentage = 71
    cast.brand.save()
    message = send_mail_to(client_id=cast.client.pk, template=template)
    assert message is not None and is_marketing(message)
    return message


@pytest.fixture
def template() -> str:
    from crm.texts.catalogue import TEXTS, TextKind

    return next(
        key
        for key, text in sorted(TEXTS.items())
        if text.kind is TextKind.LETTER and text.is_marketing and not text.own
    )


def test_an_e_mail_can_be_undone_for_ten_seconds(cast):
    message = _write(cast)
    assert deliver_due() == 0
    with pytest.raises(NotAllowed):
        undo_message(message_id=message.pk, actor=cast.desk_head)
    browser = signed_in(cast.agent)
    assert "Undo" in browser.get(f"/mail/threads/{message.thread_id}/").content.decode()
    browser.post(f"/mail/sent/{message.pk}/undo/")
    assert send_now() == 0 and not outbox.outbox
    assert TimelineEntry.objects.get(dedupe_key=f"message:{message.pk}").title == "Not sent: Offer"
    draft = draft_of(cast.agent, cast.client.pk)
    assert draft is not None and (draft.subject, draft.message) == ("Offer", "Hi Clara")
    assert "Hi Clara" in browser.get(f"/clients/{cast.client.pk}/mail/").content.decode()
    sent = _write(cast)
    assert draft_of(cast.agent, cast.client.pk) is None
    send_now()
    with pytest.raises(WrongState):
        undo_message(message_id=sent.pk, actor=cast.agent)


def test_a_draft_is_kept_while_it_is_typed_and_previewed(cast):
    browser, client = signed_in(cast.agent), f"/clients/{cast.client.pk}/mail"
    assert browser.post(f"{client}/draft/", {"subject": "Half", "message": "Dear"}).status_code == 204
    assert "Half" in browser.get(f"{client}/").content.decode()
    assert draft_of(cast.desk_head, cast.client.pk) is None
    browser.post(f"{client}/draft/", {"subject": "", "message": " "})
    assert draft_of(cast.agent, cast.client.pk) is None
    shown = browser.post(f"{client}/preview/", {"template": "clients.we_tried_to_reach_you"}).content.decode()
    assert "Guten Tag Clara" in shown and not Message.objects.exists()
    assert browser.post(f"{client}/preview/", {"template": "clients.welcome"}).status_code == 422
    assert signed_in(cast.other_agent).post(f"{client}/draft/", {"subject": "x"}).status_code == 404


def test_marketing_waits_for_the_day_where_the_client_lives(cast, template):
    set_policies(cast.brand, marketing_hour_from=9, marketing_hour_until=20)
    Client.objects.filter(pk=cast.client.pk).update(time_zone="Europe/Berlin")
    with time_machine.travel(dt.datetime(2026, 11, 25, 22, 30, tzinfo=dt.UTC), tick=False):
        message = _marketing(cast, template)
        send_now()
        message.refresh_from_db()
        assert (message.state, message.attempts) == ("queued", 0) and not outbox.outbox
        assert message.due_at == dt.datetime(2026, 11, 26, 8, 0, tzinfo=dt.UTC)
        _write(cast)
        send_now()
        assert [mail.subject for mail in outbox.outbox] == ["Offer"]  # what a person writes isn't marketing
    with time_machine.travel(dt.datetime(2026, 11, 26, 8, 5, tzinfo=dt.UTC), tick=False):
        assert deliver_due() == 1 and len(outbox.outbox) == 2


def test_one_click_unsubscribes_from_marketing_only(cast, template):
    set_policies(cast.brand, marketing_hour_from=0, marketing_hour_until=24)
    _marketing(cast, template)
    send_now()
    headers = outbox.outbox[-1].extra_headers
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = "/mail/unsubscribe/" + headers["List-Unsubscribe"].strip("<>").partition("/mail/unsubscribe/")[2]
    stranger = Browser(enforce_csrf_checks=True)
    assert "Unsubscribe" in stranger.get(path).content.decode()
    cast.client.refresh_from_db()
    assert cast.client.marketing_consent
    for _ in range(2):
        assert stranger.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    cast.client.refresh_from_db()
    assert not cast.client.marketing_consent and Suppression.objects.get().reason == "unsubscribed"
    with pytest.raises(DomainError):
        send_mail_to(client_id=cast.client.pk, template=template)
    _write(cast)
    send_now()
    assert outbox.outbox[-1].subject == "Offer" and "List-Unsubscribe" not in outbox.outbox[-1].extra_headers
    change_marketing(client=cast.client, actor=cast.client_user, wanted=True)
    assert Suppression.objects.get().lifted_by == cast.client_user
    forged = path[:-2] + ("1/" if path[-2] == "0" else "0/")
    assert stranger.post(forged).status_code == 404


def test_files_go_with_an_e_mail_and_stay_with_its_thread(cast):
    pdf, exe = b"%PDF-1.7 offer", b"MZ program"
    browser, address = signed_in(cast.agent), f"/clients/{cast.client.pk}/mail/"
    entered = {"template": "clients.free_text", "subject": "Offer", "message": "See the file"}

    def post(*files: tuple[str, bytes]):
        return browser.post(
            address, entered | {"attachments": [SimpleUploadedFile(name, content) for name, content in files]}
        )

    refused = [
        (post(("offer.pdf", exe)), "Send a picture, a PDF"),
        (post(*[(f"{number}.pdf", pdf) for number in range(6)]), "at most 5 files"),
        (post(("a.pdf", pdf + b"x" * 10 * 2**20)), "at most 10"),
    ]
    for answer, why in refused:
        assert answer.status_code == 422 and why in answer.content.decode()
    assert not Message.objects.exists() and not SentAttachment.objects.exists()
    post(("../../offer.pdf", pdf), ("terms.txt", b"Terms"))
    send_now()
    assert [(file[0], file[1]) for file in outbox.outbox[0].attachments] == [("offer.pdf", pdf), ("terms.txt", "Terms")]
    row = SentAttachment.objects.get(name="offer.pdf")
    assert pdf not in files.path_of(row.store_key).read_bytes()
    assert row.sha256 in str(audit.body_of(AuditEvent.objects.get(action="clients.mail_sent")))
    assert "offer.pdf" in browser.get(f"/mail/threads/{row.message.thread_id}/").content.decode()
    answer = browser.get(f"/mail/sent/files/{row.pk}/")
    assert b"".join(answer.streaming_content) == pdf and "attachment" in answer["Content-Disposition"]
    assert AccessEvent.objects.get(target=f"clients.sentattachment:{row.pk}").client_id == cast.client.pk
    assert signed_in(cast.other_agent).get(f"/mail/sent/files/{row.pk}/").status_code == 404


def test_an_e_mail_without_its_file_is_not_sent(cast):
    message = _write(cast, files=[SimpleUploadedFile("offer.pdf", b"%PDF-1.7 offer")])
    files.path_of(message.attachments.get().store_key).unlink()
    send_now()
    message.refresh_from_db()
    assert (message.state, outbox.outbox) == ("failed", []) and "attachment" in message.error
