"""Pictures and files of messages: fetched from the service's own hosts alone, checked, under the client's key."""

import pytest
from django.utils import timezone

from clients.messages import files
from clients.messages.uploaded_files import CheckedFile
from clients.models import TextFile, TextThread
from clients.texting import incoming, media
from clients.texting.downloading import is_own
from clients.texting.twilio import _media_of
from crm.connections.fetching import claim_due
from crm.models import AccessEvent, SubjectKey
from sandbox.phone.texts import PICTURE
from tests.cast import signed_in
from tests.clients.texting.running import CLIENT_NUMBER, WHATSAPP_NUMBER, deliver, reports

pytestmark = pytest.mark.django_db
STRANGER = "+447700900123"


def picture_in(sandbox, *, from_=CLIENT_NUMBER, files=1):
    sandbox._control(
        "text",
        {"from": f"whatsapp:{from_}", "to": f"whatsapp:{WHATSAPP_NUMBER}", "body": "My passport", "files": files},
    )
    assert deliver(reports(sandbox, 1)) == {200}
    return list(TextFile.objects.order_by("pk"))


def fault(sandbox, name, value=True):
    sandbox._control("faults", {"name": name, "value": value, "times": 1})


def test_a_picture_is_fetched_once_and_kept_under_the_clients_key(cast, sandbox, service):
    [row] = picture_in(sandbox)
    assert (row.state, media.keep_due(), media.keep_due()) == ("waiting", 1, 0)
    row.refresh_from_db()
    assert (row.state, row.name, row.content_type, row.size_bytes) == ("kept", "File 1.png", "image/png", len(PICTURE))
    assert row.sealed_for_id == cast.client.pk and PICTURE not in files.path_of(row.store_key).read_bytes()
    browser, address = signed_in(cast.agent), f"/sms/files/{row.pk}/"
    assert address in browser.get(f"/sms/threads/{row.message.thread_id}/").content.decode()
    answer = browser.get(address)
    assert b"".join(answer.streaming_content) == PICTURE and "attachment" in answer["Content-Disposition"]
    assert AccessEvent.objects.get(target=f"clients.textfile:{row.pk}").client_id == cast.client.pk
    assert signed_in(cast.other_agent).get(address).status_code == 404
    SubjectKey.objects.filter(client_id=cast.client.pk).update(wrapped=None, destroyed_at=timezone.now())
    assert browser.get(address).status_code == 404


def test_a_strangers_file_goes_under_the_key_of_whom_it_is_assigned_to(cast, sandbox, service):
    """One that is fetched while the number is assigned is fetched again."""
    first, second = picture_in(sandbox, from_=STRANGER, files=2)
    assert media.keep(first.pk) and TextFile.objects.get(pk=first.pk).sealed_for is None
    claimed = claim_due(TextFile.objects.filter(state="waiting"), second.pk, "message__service")
    incoming.assign_thread(thread_id=TextThread.objects.get().pk, client_id=cast.client.pk, actor=cast.support)
    first.refresh_from_db()
    assert first.sealed_for_id == cast.client.pk and files.read(first) == PICTURE
    assert not media._keep(claimed, CheckedFile("file", PICTURE, "image/png", "0" * 64))
    assert media.keep(second.pk)
    assert TextFile.objects.get(pk=second.pk).sealed_for_id == cast.client.pk


@pytest.mark.parametrize(
    ("name", "value", "state"),
    [
        ("elsewhere", "http://169.254.169.254/latest/meta-data/", "failed"),
        ("wrong_type", True, "failed"),
        ("endless", True, "failed"),
        ("outage", True, "waiting"),
    ],
)
def test_what_is_elsewhere_not_accepted_or_too_large_is_not_kept(sandbox, service, name, value, state):
    [row] = picture_in(sandbox)
    fault(sandbox, name, value)
    assert not media.keep(row.pk)
    row.refresh_from_db()
    assert (row.state, row.store_key) == (state, "") and row.problem
    assert (row.due_at is not None) == (state == "waiting")


def test_only_the_services_own_hosts_are_followed():
    home = "api.twilio.com"
    assert is_own("https://api.twilio.com/x", home) and is_own("https://mms.twiliocdn.com/x?sig=1", home)
    for other in (
        "https://twilio.com.evil.example/x",
        "https://eviltwilio.com/x",
        "http://mms.twiliocdn.com/x",
        "https://mms.twiliocdn.com:8443/x",
        "https://user@mms.twiliocdn.com/x",
        "file:///etc/passwd",
        "https://127.0.0.1/x",
    ):
        assert not is_own(other, home), other


def test_a_file_of_another_message_or_a_foreign_address_is_not_asked_for(cast, sandbox, service):
    """Of the address only the id counts, and only where it names the message that came."""
    message, file, account = f"MM{'1' * 32}", f"ME{'2' * 32}", f"AC{'3' * 32}"
    path = f"/2010-04-01/Accounts/{account}/Messages/{message}/Media/{file}"
    fields = {"MessageSid": message, "MediaUrl0": f"https://evil.example{path}", "MediaUrl1": "http://10.0.0.1/x"}
    assert _media_of(fields) == (file,)
    assert _media_of(fields | {"MessageSid": f"MM{'9' * 32}"}) == ()
