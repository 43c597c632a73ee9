"""Recordings are fetched within bounds, kept encrypted, played in parts by who may, and deleted in time."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.utils import timezone

from clients.models import PhoneCall, PhoneRecording
from clients.telephony import calls, hearing, recordings
from clients.telephony.playing import part_of
from crm.choices import Role
from crm.files.file_check import verify_files
from crm.models import AccessEvent, AuditEvent
from tests.brand_policies import set_policies
from tests.cast import make_staff, signed_in
from tests.clients.telephony.running import send, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def recorded(cast, sandbox, exchange) -> PhoneRecording:
    """A recording that waits to be fetched."""
    set_policies(cast.brand, calls_are_recorded=True)
    work(calls.start_call(client_id=cast.client.pk, actor=cast.agent))
    sandbox.deliver()
    hearing.process_due()
    cache.clear()
    return PhoneRecording.objects.get()


def _again(row: PhoneRecording) -> PhoneRecording:
    PhoneRecording.objects.filter(pk=row.pk).update(due_at=timezone.now())
    recordings.keep_due()
    return PhoneRecording.objects.get(pk=row.pk)


def _url(row: PhoneRecording) -> str:
    return f"/phone/recordings/{row.pk}/audio/"


def test_a_recording_is_kept_encrypted_under_the_clients_key(cast, recorded):
    row = _again(recorded)
    assert (row.state, row.sealed_for_id, row.problem) == ("kept", cast.client.pk, "")
    stored = recordings.path_of(row.store_key).read_bytes()
    assert b"RIFF" not in stored and b"WAVE" not in stored and len(stored) > row.size_bytes
    assert verify_files(lambda _label: None, deep=True).holds
    assert b"".join(recordings.stream(row, first=0, last=3)) == b"RIFF"


def test_the_same_report_again_keeps_one(cast, sandbox, recorded):
    for callback in sandbox.received:
        send(callback)
    work(PhoneCall.objects.get())
    assert PhoneRecording.objects.count() == 1


def test_who_leads_plays_it_in_parts_and_each_play_is_one_row(cast, recorded):
    row = _again(recorded)
    browser = signed_in(cast.desk_head)
    whole = browser.get(_url(row))
    content = b"".join(whole.streaming_content)
    assert (whole.status_code, len(content), whole["Accept-Ranges"]) == (200, row.size_bytes, "bytes")
    part = browser.get(_url(row), headers={"Range": "bytes=4-11"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, content[4:12])
    assert part["Content-Range"] == f"bytes 4-11/{row.size_bytes}"
    assert part["Cache-Control"] == "no-store, private" and "sandbox" in part["Content-Security-Policy"]
    seen = AccessEvent.objects.get(target=f"clients.phonerecording:{row.pk}")
    assert (seen.user, seen.client_id, seen.kind) == (cast.desk_head, cast.client.pk, "download")
    cache.clear()
    b"".join(browser.get(_url(row)).streaming_content)
    assert AccessEvent.objects.filter(target=f"clients.phonerecording:{row.pk}").count() == 2


@pytest.mark.parametrize(("who", "status"), [("agent", 403), ("auditor", 403), ("administrator", 403), ("mlro", 200)])
def test_listening_is_a_right_of_its_own(cast, recorded, who, status):
    row = _again(recorded)
    browser = signed_in(getattr(cast, who))
    assert browser.get(_url(row)).status_code == status


def test_out_of_reach_there_is_no_recording(cast, recorded):
    row = _again(recorded)
    browser = signed_in(make_staff("head.elsewhere@keelson.example", Role.DESK_HEAD, brand=cast.other_brand))
    assert browser.get(_url(row)).status_code == 404


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-", (0, 99)),
        ("bytes=10-19", (10, 19)),
        ("bytes=90-500", (90, 99)),
        ("bytes=-5", (95, 99)),
        ("bytes=-500", (0, 99)),
        ("bytes=100-", None),
        ("bytes=9-3", None),
        ("bytes=-", None),
        ("bytes=-0", None),
        ("bytes=0-1,5-6", None),
        ("seconds=1-2", None),
    ],
)
def test_ranges_are_read_as_the_standard_writes_them(asked, part):
    assert part_of(asked, 100) == part


def test_a_part_that_is_not_there_is_refused(cast, recorded):
    row = _again(recorded)
    browser = signed_in(cast.desk_head)
    answer = browser.get(_url(row), headers={"Range": f"bytes={row.size_bytes}-"})
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{row.size_bytes}")


@pytest.mark.parametrize("fault", ["wrong_type", "endless"])
def test_what_is_no_recording_or_has_no_end_is_not_kept(cast, sandbox, recorded, monkeypatch, fault):
    monkeypatch.setattr(recordings, "BYTES_MAX", 512 * 1024)
    sandbox.fault(fault)
    row = _again(recorded)
    assert row.state == "failed" and row.problem and row.store_key == ""


def test_an_exchange_that_is_away_is_asked_again(cast, sandbox, recorded):
    sandbox.fault("outage")
    row = _again(recorded)
    assert row.state == "waiting" and row.due_at > timezone.now() and row.problem
    assert _again(row).state == "kept"


def test_a_recording_goes_when_its_time_is_over(cast, recorded):
    row = _again(recorded)
    path = recordings.path_of(row.store_key)
    assert recordings.delete_expired() == 0 and path.exists()
    PhoneRecording.objects.filter(pk=row.pk).update(kept_at=timezone.now() - dt.timedelta(days=1_827))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda work: work())
        assert recordings.delete_expired() == 1
    row.refresh_from_db()
    assert (row.state, row.store_key, path.exists()) == ("deleted", "", False)
    assert AuditEvent.objects.get(action="clients.recording_deleted").client_id == cast.client.pk


def test_the_calls_page_offers_it_to_who_may_listen(cast, recorded):
    row = _again(recorded)
    for who, is_there in ((cast.desk_head, True), (cast.agent, False)):
        assert (_url(row) in signed_in(who).get(f"/phone/calls/{row.phone_call_id}/").content.decode()) is is_there
