"""Lists kept current: scheduled checks that ask only for changes, shrunken files that wait, own lists, and freshness."""

import datetime as dt
import hashlib
import http.server
import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.utils import timezone

from clients.models import Client
from compliance import rescreening
from compliance.choices import VersionState
from compliance.lists import fetching, freshness, own_lists, refresh
from compliance.models import ClientKeys, ListEntry, ListVersion, OwnListUpload, Screening, WatchlistSource
from compliance.sources import SOURCES
from compliance.watchlists import ensure_source
from crm import events
from crm.errors import DomainError, NotAllowed
from crm.events import ClientProfileChanged, ClientRegistered, publish
from crm.models import Notification
from tests.compliance.factories import load, un_file
from tests.racing import race

pytestmark = pytest.mark.django_db


class Publisher(http.server.BaseHTTPRequestHandler):
    """Answers with `body`, 304 to who has it already, redirects `/moved`, and drips more than any list at `/endless`."""

    body = b""
    asked: list[str] = []

    def do_GET(self):
        mark = f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'
        self.asked.append(self.headers.get("If-None-Match", ""))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/list.xml")
        elif self.headers.get("If-None-Match") == mark:
            self.send_response(304)
        elif self.path == "/gone":
            self.send_response(404)
        else:
            self.send_response(200)
            self.send_header("ETag", mark)
            self.end_headers()
            self.wfile.write(self.body)
            return
        self.end_headers()

    def log_message(self, *_args):
        pass


@pytest.fixture
def publisher(tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Publisher.asked = []
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def publish_people(tmp_path, count):
    people = [{"first": f"Anna{chr(97 + n)}", "second": "Listed"} for n in range(count)]
    Publisher.body = un_file(tmp_path, *people, name="published.xml").read_bytes()


def test_a_list_is_asked_for_changes_only_and_a_short_one_waits(cast, tmp_path, publisher):
    source = ensure_source(SOURCES["un"])
    publish_people(tmp_path, 10)
    refresh.schedule_refresh(source_id=source.pk, actor=cast.mlro, refresh_from=f"{publisher}/moved")
    assert refresh.refresh_due() == 1 and ListEntry.objects.count() == 10
    assert refresh.refresh_due() == 0 and len(Publisher.asked) == 2, "it isn't due yet"
    assert refresh.refresh_list(source_id=source.pk, actor=cast.mlro) is None
    assert Publisher.asked[-1].startswith('"'), "the publisher was asked for changes"
    publish_people(tmp_path, 5)
    with pytest.raises(refresh.RefreshFailed, match="5 entries where the list in force has 10"):
        refresh.refresh_list(source_id=source.pk, actor=None, is_scheduled=True)
    waiting = ListVersion.objects.get(state=VersionState.WAITING)
    assert Notification.objects.filter(kind="compliance.list_problem", user=cast.mlro).count() == 1
    assert ListEntry.objects.filter(is_listed=True).count() == 10
    publish_people(tmp_path, 4)
    with pytest.raises(refresh.RefreshFailed, match="4 entries"):
        refresh.confirm_shorter(version_id=waiting.pk, actor=cast.mlro)
    waiting = ListVersion.objects.get(state=VersionState.WAITING)
    assert waiting.entry_count == 4, "another file needs its own confirmation"
    with pytest.raises(NotAllowed):
        refresh.confirm_shorter(version_id=waiting.pk, actor=cast.kyc_officer)
    assert refresh.confirm_shorter(version_id=waiting.pk, actor=cast.mlro).removed == 6


def test_what_a_publisher_sends_is_bounded_and_errors_are_kept(cast, tmp_path, publisher, monkeypatch):
    source = ensure_source(SOURCES["un"])
    load(tmp_path, {"first": "Anna", "second": "Listed"})
    Publisher.body = b"<html>maintenance</html>"
    refresh.schedule_refresh(source_id=source.pk, actor=cast.mlro, refresh_from=f"{publisher}/list.xml")
    assert refresh.refresh_due() == 0
    source.refresh_from_db()
    assert "not the Security Council's list" in source.refresh_error and source.checked_at is None
    monkeypatch.setattr(fetching, "BOUNDS", fetching.outbound.Bounds(1000, 5, fetching.BOUNDS.timeout))
    Publisher.body = b"x" * 5000
    with pytest.raises(refresh.RefreshFailed, match="larger than"):
        refresh.refresh_list(source_id=source.pk, actor=cast.mlro)
    refresh.schedule_refresh(source_id=source.pk, actor=cast.mlro, refresh_from=f"{publisher}/gone")
    with pytest.raises(refresh.RefreshFailed, match="status 404"):
        refresh.refresh_list(source_id=source.pk, actor=cast.mlro)
    assert ListEntry.objects.filter(is_listed=True).count() == 1
    with override_settings(OUTGOING_PRIVATE=[]):
        for address in ("https://127.0.0.1/list.xml", "http://example.com/list.xml", "https://169.254.169.254/x"):
            with pytest.raises(DomainError):
                refresh.schedule_refresh(source_id=source.pk, actor=cast.mlro, refresh_from=address)
        with pytest.raises(refresh.RefreshFailed, match="https"):
            refresh.refresh_list(source_id=source.pk, actor=cast.mlro)


def test_a_file_is_read_from_the_folder_of_lists_alone(cast, tmp_path):
    source = ensure_source(SOURCES["un"])
    un_file(tmp_path, {"first": "Anna", "second": "Listed"}, name="un.xml")
    with pytest.raises(DomainError, match="isn't set"):
        refresh.schedule_refresh(source_id=source.pk, actor=cast.mlro, refresh_from="un.xml")
    with override_settings(WATCHLIST_FOLDER=str(tmp_path)):
        with pytest.raises(DomainError, match="must be below"):
            refresh.schedule_refresh(source_id=source.pk, actor=cast.mlro, refresh_from="../../etc/passwd")
        refresh.schedule_refresh(source_id=source.pk, actor=cast.mlro, refresh_from="un.xml")
        assert refresh.refresh_list(source_id=source.pk, actor=cast.mlro).entry_count == 1
        assert refresh.refresh_list(source_id=source.pk, actor=cast.mlro) is None
    with pytest.raises(NotAllowed):
        refresh.schedule_refresh(source_id=source.pk, actor=cast.kyc_officer, refresh_from="")


def test_a_stale_list_is_marked_and_notified_once_a_day(cast, tmp_path, browse):
    load(tmp_path, {"first": "Anna", "second": "Listed"})
    old = timezone.now() - dt.timedelta(hours=73)
    ListVersion.objects.update(imported_at=old)
    (state,) = freshness.list_states()
    assert state.is_stale
    refresh.notify_stale(timezone.now())
    refresh.notify_stale(timezone.now())
    assert Notification.objects.filter(kind="compliance.list_problem", user=cast.mlro).count() == 1
    page = browse(cast.mlro).get("/compliance/watchlists/").content.decode()
    assert ("Stale" in page and "Meridian" in page) or "Stale" in page
    WatchlistSource.objects.update(checked_at=timezone.now())
    assert not freshness.list_states()[0].is_stale


def test_clients_behind_are_counted_until_they_are_screened(cast, tmp_path):
    load(tmp_path, {"first": "Somebody", "second": "Else"})
    events.drain()
    (before,) = freshness.brand_states(cast.mlro)
    assert before.behind == before.clients - before.nameless > 0
    rescreening.screen_everybody()
    (after,) = freshness.brand_states(cast.mlro)
    assert (after.behind, after.screened) == (0, before.behind)
    Client.objects.filter(pk=cast.client.pk).update(last_name="Changed")
    assert freshness.brand_states(cast.mlro)[0].behind == 1
    publish(ClientProfileChanged(client_id=cast.client.pk, brand_id=cast.brand.pk, fields=("last_name",)))
    events.drain()
    assert freshness.brand_states(cast.mlro)[0].behind == 0
    assert Screening.objects.get(client=cast.client).trigger == "profile"
    publish(ClientRegistered(client_id=cast.client.pk, brand_id=cast.brand.pk, user_id=1))
    publish(ClientProfileChanged(client_id=cast.client.pk, brand_id=cast.brand.pk, fields=("phone",)))
    events.drain()
    assert list(Screening.objects.order_by("pk").values_list("trigger", flat=True)) == ["profile", "registered"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_make_the_keys_of_one_client_once(cast):
    done = race(rescreening.refresh_keys, rescreening.refresh_keys)
    assert done.has_waited and sorted([done.first > 0, done.second]) == [0, 1]
    assert ClientKeys.objects.filter(client=cast.client).count() == 1


OWN = "Kunde;Geburtsdatum;Nationality;Passport Number;Bemerkung\nKlara Weber;4.3.1970;DE;C01X00T47;Chargebacks\n"


def test_an_own_list_is_mapped_tried_and_imported(cast, browse):
    client = browse(cast.mlro)
    file = SimpleUploadedFile("own.csv", OWN.encode())
    page = client.post("/compliance/watchlists/own/", {"file": file}, follow=True)
    upload = OwnListUpload.objects.get()
    assert "Choose the column with the name" in page.content.decode()
    url = f"/compliance/watchlists/own/{upload.pk}/"
    assert browse(cast.kyc_officer).get(url).status_code == 403
    mapped = {"name": "Kunde", "birth_date": "Geburtsdatum", "countries": "Nationality", "passport": "Passport Number"}
    tried = client.post(url, {**mapped, "check": "1"}).content.decode()
    assert "Klara Weber" in tried and "C01X00T47" in tried and not ListVersion.objects.exists()
    assert client.post(url, mapped).status_code == 422, "it has no name yet"
    done = client.post(url, {**mapped, "list_name": "Unwanted clients"}, follow=True).content.decode()
    assert "Unwanted clients" in done and not OwnListUpload.objects.exists()
    entry = ListEntry.objects.get()
    assert (entry.topics, entry.countries, entry.identifiers[0]["value"]) == (["own"], ["DE"], "C01X00T47")
    source = WatchlistSource.objects.get(code="own-unwanted-clients")
    again = own_lists.upload_own_list(
        actor=cast.mlro, file_name="two.csv", content=OWN.encode() + b"Otto Other;31.12.1980;AT;;\n"
    )
    trial = own_lists.try_own_list(again, source.columns, source)
    assert (trial.entries, trial.added, trial.changed, trial.removed) == (2, 1, 0, 0)
    version = own_lists.import_own_list(
        upload_id=again.pk, actor=cast.mlro, columns=source.columns, source_id=source.pk
    )
    assert (version.entry_count, version.added) == (2, 1)
    for content in (b"", b"\xff\xfe", b"a;a\n"):
        with pytest.raises(DomainError):
            own_lists.upload_own_list(actor=cast.mlro, file_name="bad.csv", content=content)


def test_a_lists_page_shows_versions_changes_and_its_schedule(cast, browse, tmp_path, django_assert_max_num_queries):
    load(tmp_path, {"first": "Anna", "second": "Gone"}, {"first": "Bela", "second": "Stays"})
    load(tmp_path, {"id": "101", "first": "Bela", "second": "Stays"}, {"id": "102", "first": "Cora", "second": "New"})
    source = WatchlistSource.objects.get()
    url = f"/compliance/watchlists/{source.pk}/"
    client = browse(cast.mlro)
    client.get(url)
    with django_assert_max_num_queries(30):
        page = client.get(url).content.decode()
    assert "Cora New" in page and "Anna Gone" in page and "Save schedule" in page
    form = {"refresh_from": "https://192.0.2.1/list.xml", "refresh_hours": "12", "stale_after_hours": "48"}
    client.post(f"{url}schedule/", form)
    source.refresh_from_db()
    assert (source.refresh_hours, source.stale_after_hours) == (12, 48)
    assert "Save schedule" not in browse(cast.kyc_officer).get(url).content.decode()
