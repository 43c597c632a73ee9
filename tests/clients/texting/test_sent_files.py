"""Files that go out by WhatsApp: within 24 hours, checked, sealed, given to the service for minutes, and never sent twice."""

import datetime as dt

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.utils import timezone

from clients.messages import files
from clients.models import TextFile, TextMessage
from clients.texting import sent_files, writing
from clients.texting.choices import TextChannel
from crm.errors import DomainError
from crm.models import AccessEvent, AuditEvent, SubjectKey
from sandbox.phone.texts import PICTURE
from tests.cast import signed_in
from tests.clients.texting.running import WHATSAPP_NUMBER, deliver, reports, work, write_in

pytestmark = pytest.mark.django_db
FROM, TO = "whatsapp:+4915112345678", f"whatsapp:{WHATSAPP_NUMBER}"


@pytest.fixture
def window(sandbox, service):
    """The client has just written by WhatsApp."""
    assert write_in(sandbox, "Hello", from_=FROM, to=TO) == {200}


def picture(name="Terms.png", content=PICTURE) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def send(cast, message="As agreed", file=None, channel=TextChannel.WHATSAPP, **fields) -> TextMessage:
    given = {"message": message, "files": [file or picture()], **fields}
    [row] = writing.send_text(client_id=cast.client.pk, actor=cast.agent, channel=channel, **given)
    return row


def test_a_file_is_sealed_fetched_by_its_link_and_delivered(cast, sandbox, service, window):
    row = send(cast)
    file = TextFile.objects.get(message=row)
    assert (file.state, file.name, file.content_type) == ("kept", "Terms.png", "image/png")
    assert PICTURE not in files.path_of(file.store_key).read_bytes() and files.read(file) == PICTURE
    assert Browser().get(sent_files.link_of(row)).status_code == 404, "nothing is being sent yet"
    sandbox.fault("fetch_twice")
    row = work(row)
    assert (row.state, row.segments) == ("sent", 1)
    sandbox.wait(lambda: len(sandbox.fetched) == 2)
    path, anyone = sandbox.fetched[0], Browser()
    answer = anyone.get(path)
    assert b"".join(answer.streaming_content) == PICTURE and answer["Content-Type"] == "image/png"
    assert answer["Cache-Control"] == "no-store, private"
    seen = AccessEvent.objects.get(target=f"clients.textfile:{file.pk}")
    assert (seen.client_id, seen.user_id, seen.reason) == (cast.client.pk, None, f"fetched by {service}")
    forged = path[:-2] + ("0/" if path[-2] != "0" else "1/")
    assert anyone.get(forged).status_code == 404 and anyone.post(path).status_code == 405
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=16), tick=False):
        assert anyone.get(path).status_code == 404
    for _ in range(sent_files.FETCHES_MAX - 1):
        assert b"".join(anyone.get(path).streaming_content)
    assert anyone.get(path).status_code == 404, "a few times only"
    fresh = reports(sandbox, 4)
    assert deliver([*fresh, *reversed(fresh)]) == {200}
    row.refresh_from_db()
    assert (row.state, row.problem) == ("read", "")
    page = signed_in(cast.agent).get(row.thread.get_absolute_url()).content.decode()
    assert f"/sms/files/{file.pk}/" in page and "Terms.png" in page
    assert AuditEvent.objects.filter(action="clients.text_sent").count() == 1
    assert signed_in(cast.other_agent).get(f"/sms/files/{file.pk}/").status_code == 404


def test_what_the_service_could_not_fetch_is_not_delivered(cast, sandbox, service, window):
    sandbox.gives_files = False
    row = work(send(cast, message=""))
    deliver(reports(sandbox, 2))
    row.refresh_from_db()
    assert row.state == "failed" and "63019" in row.problem


def test_a_lost_answer_of_a_file_is_looked_up(cast, sandbox, service, window):
    sandbox.fault("lose_answer")
    sandbox.fault("drop", times=None)
    row = work(work(send(cast, message="")))
    assert row.state in ("sent", "delivered", "read")
    assert len([one for one in sandbox.server.exchange.texts.rows.values() if one.media_url]) == 1


def test_files_that_whatsapp_does_not_take_are_refused(cast, service, window):
    refused = [
        {"file": picture("run.html", b"<html>x</html>")},
        {"file": picture("a.txt", b"plain")},
        {"file": picture("big.png", PICTURE + b"0" * sent_files.IMAGE_BYTES_MAX)},
        {"channel": TextChannel.SMS},
        {"template": "clients.sms_documents"},
    ]
    for fields in refused:
        with pytest.raises(DomainError):
            send(cast, **fields)
    assert not TextFile.objects.exists()


def test_no_file_goes_out_after_24_hours_or_an_erasure(cast, sandbox, service, window):
    row = send(cast)
    TextMessage.objects.filter(pk=row.pk).update(state="sent")
    link = sent_files.link_of(row)
    SubjectKey.objects.filter(client_id=cast.client.pk).update(wrapped=None, destroyed_at=timezone.now())
    assert Browser().get(link).status_code == 404
    with time_machine.travel(timezone.now() + dt.timedelta(hours=25)), pytest.raises(DomainError):
        send(cast)


def test_the_composer_sends_a_file(cast, service, window):
    browser, url = signed_in(cast.agent), f"/clients/{cast.client.pk}/sms/"
    assert 'name="attachments"' in browser.get(f"{url}?channel=whatsapp").content.decode()
    given = {"channel": "whatsapp", "attachments": "[object File]", "message": ""}
    shown = browser.post(f"{url}preview/", given).content.decode()
    assert "One WhatsApp message" in shown and "Enter a text." not in shown
    assert "Enter a text." in browser.post(f"{url}preview/", {**given, "channel": "sms"}).content.decode()
    browser.post(url, {"channel": "whatsapp", "template": "", "message": "", "attachments": [picture()]})
    assert TextFile.objects.get().message.sender == cast.agent


def test_several_files_are_several_messages_of_one_step(cast, service, window):
    """WhatsApp takes one file a message. A file that can't be sent keeps the whole step back."""
    browser, url = signed_in(cast.agent), f"/clients/{cast.client.pk}/sms/"
    two = {"channel": "whatsapp", "attachments": ["[object File]"] * 2, "message": ""}
    assert "2 WhatsApp messages" in browser.post(f"{url}preview/", two).content.decode()
    sent = {"channel": "whatsapp", "template": "", "message": "As agreed"}
    browser.post(url, {**sent, "attachments": [picture(), picture("a.txt", b"plain")]})
    assert not TextMessage.objects.exclude(state="received").exists()
    browser.post(url, {**sent, "attachments": [picture("1.png"), picture("2.png")]})
    rows = TextMessage.objects.exclude(state="received").order_by("id")
    assert [(row.opened, row.files, TextFile.objects.get(message=row).name) for row in rows] == [
        ("As agreed", 1, "1.png"),
        ("", 1, "2.png"),
    ]
    assert AuditEvent.objects.filter(action="clients.text_sent").count() == 2
