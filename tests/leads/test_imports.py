import io

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Sum
from django.utils import timezone

from clients.facts import FACTS, differences
from clients.models import Client, TimelineEntry
from crm.choices import JobState
from crm.errors import DomainError, NotAllowed, WrongState
from crm.files.jobs import JobCancelled
from crm.models import AuditEvent, DueRow, Job, Notification, OutboxEvent
from leads import imports
from leads.choices import ImportState
from leads.import_files import applying, upkeep
from leads.models import AgentCount, Lead, LeadImport, LeadImportRow
from tests.faults.killing import killed_at
from tests.outbox import published

pytestmark = pytest.mark.django_db
FILE = """Vorname;Nachname;E-Mail;Telefon;Land;Kampagne;Bemerkung;Kundennummer
Hans;Meier;hans@web.de;0151 23456789;Deutschland;de-search;Bitte anrufen;1
Hans;Meier;Hans+2@web.de;;DE;;;2
Clara;Weber;clara@example.com;;DE;;;3
Petra;Falsch;petra@@web;12;DE;;;4
Otto;Niemand;;;DE;;;5
Jan;Fremd;jan@web.de;0664 1234567;Atlantis;;;6
Eva;Kampagne;eva@web.de;;AT;no-such;;7

Lena;Huber;lena@web.de;0664 1234567;Österreich;;;8
"""


def silent(done, total=0, message=""):
    pass


@pytest.fixture
def start(cast):
    def begin(text=FILE, **fields):
        content = text if isinstance(text, bytes) else text.encode()
        return imports.start_import(
            brand=cast.brand,
            actor=fields.pop("actor", cast.desk_head),
            file_name="leads.csv",
            content=content,
            options=imports.ImportOptions(language="de", **fields),
        )

    return begin


def row(batch, line):
    return LeadImportRow.objects.get(batch=batch, line=line)


def test_the_preview_names_each_problem_by_line_and_column_and_imports_nothing(cast, german_rule, campaign, start):
    batch = imports.check(start(), silent)
    assert batch.state == ImportState.CHECKED
    assert batch.counts == {"new": 2, "known": 1, "repeated": 1, "wrong": 4}
    assert batch.problems == ["Ignored columns: Kundennummer"]
    assert row(batch, 2).phone == "+4915123456789" and row(batch, 2).country == "DE"
    assert row(batch, 3).same_as_line == 2
    assert row(batch, 4).client_id == cast.client.pk
    assert [error["column"] for error in row(batch, 5).errors] == ["email", "phone"]
    assert "are missing" in row(batch, 6).errors[0]["message"]
    assert "Atlantis" in row(batch, 7).errors[0]["message"]
    assert row(batch, 8).errors == [{"column": "campaign", "message": "Unknown campaign “no-such”"}]
    assert row(batch, 10).country == "AT"
    assert not Lead.objects.exists() and Client.objects.count() == 2


def test_confirming_takes_the_good_lines_in_scored_routed_and_told(
    cast, german_rule, campaign, start, django_capture_on_commit_callbacks
):
    batch = imports.check(start(), silent)
    imports.confirm(import_id=batch.pk, actor=cast.desk_head)
    batch.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        imports.run(batch, silent)
    hans = Client.objects.get(email="hans@web.de")
    assert (hans.owner, hans.book, hans.source, hans.campaign) == (cast.agent, cast.book, "google", "de-search")
    assert hans.score > 0 and hans.history.count() == 1
    lead = hans.leads.get()
    assert (lead.channel, lead.assigned_to, lead.message, lead.sla_due_at) == (
        "import",
        cast.agent,
        "Bitte anrufen",
        None,
    )
    assert cast.client.leads.get().is_duplicate
    assert TimelineEntry.objects.filter(client=hans).count() == 1
    batch.refresh_from_db()
    assert batch.state == ImportState.DONE and batch.counts["new"] == 2
    assert set(batch.rows.values_list("verdict", flat=True)) == {"wrong", "repeated"}
    assert not imports.file_path(batch).exists()
    assert Notification.objects.get(user=cast.agent).title == "New leads from an import: 2"
    assert OutboxEvent.objects.get(name="lead.imported").payload["known"] == 1
    assigned = published("lead.assigned")
    assert [event.data["lead_id"] for event in assigned] == list(
        Lead.objects.filter(is_duplicate=False).order_by("pk").values_list("pk", flat=True)
    )
    assert {(event.data["agent_id"], event.data["rule"], event.actor.id) for event in assigned} == {
        (cast.agent.pk, german_rule.name, cast.desk_head.pk)
    }, "one event per lead that the rules gave to somebody"
    assert AuditEvent.objects.filter(action__in=["leads.import_started", "leads.imported"]).count() == 2
    for name in ("score", "source", "campaign"):
        assert list(differences(FACTS[name])) == [], name


def test_a_failed_batch_leaves_nothing_and_the_import_goes_on(cast, german_rule, campaign, start, monkeypatch):
    batch = imports.check(start(), silent)
    imports.confirm(import_id=batch.pk, actor=cast.desk_head)
    batch.refresh_from_db()
    with monkeypatch.context() as broken:
        broken.setattr("leads.import_files.writing.Writer.finish", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            imports.run(batch, silent)
    assert not Lead.objects.exists() and Client.objects.count() == 2
    with pytest.raises(WrongState):
        imports.confirm(import_id=batch.pk, actor=cast.desk_head)  # its job is still at work, as far as is known
    Job.objects.update(state=JobState.FAILED, started_at=timezone.now(), finished_at=timezone.now())
    imports.confirm(import_id=batch.pk, actor=cast.desk_head)
    imports.run(LeadImport.objects.get(), silent)
    assert Lead.objects.count() == 3


MANY = "email,country,language\n" + "".join(f"file{number}@web.de,DE,de\n" for number in range(7))


@pytest.mark.django_db(transaction=True)
def test_an_import_killed_at_any_step_goes_on_and_captures_each_lead_once(cast, german_rule, start, monkeypatch):
    """And the turns are exact over all batches: what a killed batch had counted went with it."""
    monkeypatch.setattr(applying, "BATCH_ROWS", 3)
    batch = imports.check(start(MANY), silent)
    imports.confirm(import_id=batch.pk, actor=cast.desk_head)
    deaths, step = 0, 3
    while killed_at(step, lambda: imports.run(LeadImport.objects.get(pk=batch.pk), silent)):
        deaths, step = deaths + 1, step + 5
        made = Lead.objects.count()
        assert made % 3 == 0 or made == 7, "a batch was half imported"
        assert AgentCount.objects.filter(given__gt=0).aggregate(Sum("given"))["given__sum"] == (made or None)
    batch.refresh_from_db()
    assert deaths >= 4 and (batch.state, batch.counts) == (ImportState.DONE, {"new": 7, "known": 0})
    assert Lead.objects.values("client__email").distinct().count() == Lead.objects.count() == 7
    assert AuditEvent.objects.filter(action="leads.imported").count() == 1
    assert Notification.objects.get(user=cast.agent).title == "New leads from an import: 7"


def test_a_stopped_import_keeps_its_leads_and_the_rest_is_resumed_or_discarded(cast, german_rule, start, monkeypatch):
    monkeypatch.setattr(applying, "BATCH_ROWS", 3)
    seen = []

    def stop(done, total=0, message=""):
        seen.append((done, total))
        raise JobCancelled

    for ends, leads in (("resumed", 7), ("discarded", 10)):
        batch = imports.check(start(MANY.replace("file", ends)), silent)
        imports.confirm(import_id=batch.pk, actor=cast.desk_head)
        with pytest.raises(JobCancelled):
            imports.run(batch, stop)
        batch.refresh_from_db()
        Job.objects.filter(pk=batch.import_job_id).update(state=JobState.CANCELLED, finished_at=timezone.now())
        if ends == "resumed":
            imports.run(imports.confirm(import_id=batch.pk, actor=cast.desk_head), silent)
        else:
            ended = imports.discard(import_id=batch.pk, actor=cast.desk_head)
            assert ended.state == ImportState.DONE and ended.problems[-1] == "Stopped: 4 lines weren't imported."
        assert Lead.objects.count() == leads
    assert seen == [(3, 7), (3, 7)]


def test_a_dead_workers_import_goes_on_when_it_is_due(cast, german_rule, start):
    batch = imports.check(start(MANY), silent)
    imports.confirm(import_id=batch.pk, actor=cast.desk_head)
    batch.refresh_from_db()
    dead = batch.import_job_id
    Job.objects.filter(pk=dead).update(state=JobState.RUNNING, started_at=timezone.now())
    upkeep.WATCH.kind.handle([DueRow.objects.get(kind=upkeep.WATCH.kind.code)])
    batch.refresh_from_db()
    assert Job.objects.get(pk=dead).state == JobState.FAILED and batch.import_job_id != dead
    imports.run(batch, silent)
    assert Lead.objects.count() == 7
    DueRow.objects.filter(kind=upkeep.DELETE.code).update(at=timezone.now())
    upkeep.DELETE.handle([DueRow.objects.get(kind=upkeep.DELETE.code)])
    assert LeadImport.objects.get().state == ImportState.DONE


def test_the_same_file_twice_is_noticed(cast, german_rule, start):
    first = imports.check(start(MANY), silent)
    imports.confirm(import_id=first.pk, actor=cast.desk_head)
    imports.run(LeadImport.objects.get(), silent)
    again = imports.check(start(MANY), silent)
    assert again.counts == {"known": 7} and "The same file was already imported on" in again.problems[0]


def workbook(rows):
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for place, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                sheet.write_string(place, column, cell)
    return file.getvalue()


def test_a_workbook_is_mapped_and_checked_and_the_next_like_it_is_read_alike(cast, start, browse):
    """Columns without a name that is known are mapped by a person, once."""
    content = workbook([["Kontakt", "Wo"], ["otto@web.de", "Germania"], ["no address", "DE"], ["", "=1+1"]])
    batch = start(content)
    assert batch.state == ImportState.MAPPING and not Job.objects.exists()
    browser, page = browse(cast.desk_head), f"/leads/imports/{batch.pk}/mapping/"
    assert "otto@web.de" in browser.get(page).content.decode()
    shape = {"dates": "ymd", "decimal": "."}
    assert browser.post(page, {**shape, "column_country": "Wo"}).status_code == 422
    chosen = {**shape, "column_email": "Kontakt", "column_country": "Wo", "values_country": "Germania = DE"}
    assert browser.post(page, chosen)["Location"] == batch.get_absolute_url()
    batch.refresh_from_db()
    batch = imports.check(batch, silent)
    assert batch.counts == {"new": 1, "wrong": 2}
    assert (row(batch, 2).email, row(batch, 2).country) == ("otto@web.de", "DE")
    assert [error["column"] for error in row(batch, 4).errors] == ["country", "email"]
    assert start(workbook([["Kontakt", "Wo"], ["lena@web.de", "AT"]])).state == ImportState.CHECKING


def test_someone_who_came_in_since_the_check_is_not_made_twice(cast, german_rule, campaign, start, capture):
    batch = imports.check(start(), silent)
    capture(email="hans@web.de", phone="")
    imports.confirm(import_id=batch.pk, actor=cast.desk_head)
    imports.run(LeadImport.objects.get(), silent)
    assert Client.objects.filter(email="hans@web.de").count() == 1


def test_a_brand_archived_since_the_upload_takes_no_leads(cast, german_rule, campaign, start):
    """Neither a file that is confirmed afterwards, nor one that was confirmed before and runs afterwards."""
    late, running = imports.check(start(), silent), imports.check(start(FILE + "Eva;Neu;eva@web.de;;AT;;;9\n"), silent)
    running = imports.confirm(import_id=running.pk, actor=cast.desk_head)
    cast.brand.archived_at = timezone.now()
    cast.brand.save()
    before = Lead.objects.count()
    with pytest.raises(WrongState, match="is archived and takes no new leads"):
        imports.confirm(import_id=late.pk, actor=cast.desk_head)
    with pytest.raises(WrongState, match="is archived and takes no new leads"):
        imports.run(running, silent)
    assert Lead.objects.count() == before
    late.refresh_from_db()
    assert late.state == ImportState.CHECKED, "it can be confirmed once the brand is restored"


def test_confirming_twice_imports_once(cast, german_rule, campaign, start):
    batch = imports.check(start(), silent)
    imports.confirm(import_id=batch.pk, actor=cast.desk_head)
    with pytest.raises(WrongState):
        imports.confirm(import_id=batch.pk, actor=cast.desk_head)
    imports.run(LeadImport.objects.get(), silent)
    with pytest.raises(WrongState):
        imports.confirm(import_id=batch.pk, actor=cast.desk_head)
    assert Job.objects.filter(kind="leads.run_import").count() == 1


def test_unrouted_leads_wait_in_a_pool(cast, german_rule, campaign, start):
    batch = imports.check(start(is_routed=False), silent)
    imports.confirm(import_id=batch.pk, actor=cast.desk_head)
    imports.run(LeadImport.objects.get(), silent)
    assert Client.objects.get(email="hans@web.de").book == cast.pool


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "empty"), (b"\n1,2\n", "first line must contain"), (b"PK\x03\x04\x00\x00", "workbook can't be read")],
)
def test_a_file_that_is_no_list_of_leads_is_refused_with_the_reason(cast, start, content, told):
    with pytest.raises(DomainError, match=told):
        start(content)
    assert not LeadImport.objects.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_encodings_of_spreadsheets_are_read(cast, start, encoding):
    batch = imports.check(start("email,last_name\nx@web.de,Müller\n".encode(encoding)), silent)
    assert row(batch, 2).last_name == "Müller"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separators_of_spreadsheets_are_read(cast, start, separator):
    text = f'email{separator}message\nx@web.de{separator}"a{separator}b"\n'
    assert row(imports.check(start(text), silent), 2).message == f"a{separator}b"


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "email,mail\na,b\n"])
def test_columns_that_are_not_clear_are_left_to_a_person(cast, start, text):
    """Where no column is an e-mail address or a phone, or two mean the same."""
    assert start(text).state == ImportState.MAPPING and not Job.objects.exists()


def test_an_unquoted_separator_is_noticed(cast, start):
    batch = imports.check(start("email,message\nx@web.de,one, two\n"), silent)
    assert "The row has 3 values" in row(batch, 2).errors[0]["message"]


def test_a_file_too_long_ends_as_failed_with_the_reason(cast, start, monkeypatch):
    monkeypatch.setattr("crm.imports.reading.ROWS_MAX", 2)
    batch = imports.check(start("email\na@web.de\nb@web.de\nc@web.de\n"), silent)
    assert batch.state == ImportState.FAILED and "Split it" in batch.problems[0]
    assert not LeadImportRow.objects.exists()


def test_discarding_leaves_neither_rows_nor_file(cast, start, django_capture_on_commit_callbacks):
    batch = imports.check(start(), silent)
    with django_capture_on_commit_callbacks(execute=True):
        imports.discard(import_id=batch.pk, actor=cast.desk_head)
    assert not LeadImportRow.objects.exists() and not imports.file_path(batch).exists()
    with pytest.raises(WrongState):
        imports.discard(import_id=batch.pk, actor=cast.desk_head)


def test_the_file_is_kept_encrypted(cast, start):
    assert b"hans@web.de" not in imports.file_path(start()).read_bytes()


@pytest.mark.parametrize("who", ["agent", "other_agent", "auditor", "finance", "support"])
def test_the_wrong_role_imports_nothing(cast, start, who):
    with pytest.raises(NotAllowed):
        start(actor=getattr(cast, who))
    assert not LeadImport.objects.exists()


def test_nobody_confirms_or_discards_someone_elses_file(cast, start):
    batch = imports.check(start(), silent)
    for verb in (imports.confirm, imports.discard):
        with pytest.raises(NotAllowed, match="someone else"):
            verb(import_id=batch.pk, actor=cast.marketing)


class TestPages:
    def upload(self, browser, cast, text=FILE):
        file = SimpleUploadedFile("leads.csv", text.encode())
        return browser.post(
            "/leads/imports/new/", {"file": file, "brand": cast.brand.pk, "language": "de", "is_routed": "on"}
        )

    def test_from_upload_to_import(self, cast, german_rule, campaign, browse):
        browser = browse(cast.desk_head)
        answer = self.upload(browser, cast)
        batch = LeadImport.objects.get()
        assert answer["Location"] == batch.get_absolute_url()
        assert "Checking" in browser.get(answer["Location"]).content.decode()
        imports.check(batch, silent)
        page = browser.get(answer["Location"]).content.decode()
        assert "Import 3 leads" in page and "hans@web.de" not in page  # masked
        wrong = browser.get(f"{answer['Location']}?verdict=wrong").content.decode()
        assert "Unknown country" in wrong and "E-mail address and phone number are missing" in wrong
        assert browser.post(f"/leads/imports/{batch.pk}/confirm/").status_code == 302
        imports.run(LeadImport.objects.get(), silent)
        assert "Imported" in browser.get(answer["Location"]).content.decode()

    def test_a_bad_file_is_said_at_the_field(self, cast, browse):
        answer = self.upload(browse(cast.desk_head), cast, "\n1,2\n")
        assert answer.status_code == 422 and "first line must contain" in answer.content.decode()

    def test_the_wrong_lines_can_be_taken_home(self, cast, campaign, browse, start):
        batch = imports.check(start(), silent)
        answer = browse(cast.desk_head).get(f"/leads/imports/{batch.pk}/?verdict=wrong&export=csv")
        assert "Atlantis" in b"".join(answer.streaming_content).decode()

    @pytest.mark.parametrize("path", ["", "new/", "1/", "1/mapping/", "1/confirm/", "1/discard/"])
    def test_who_may_not_import_sees_none_of_it(self, cast, browse, path):
        assert browse(cast.agent).get(f"/leads/imports/{path}").status_code == 403
