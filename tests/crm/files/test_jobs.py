import datetime as dt
import errno

import django_rq
import pytest
from django.utils import timezone
from django.utils.translation import get_language
from redis.exceptions import ConnectionError as RedisAway
from rq import SimpleWorker

from crm.choices import JobState
from crm.files import jobs
from crm.i18n import formats
from crm.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kind(monkeypatch):
    monkeypatch.setattr(jobs, "KINDS", {})

    def register(run):
        jobs.job_kind("tests.kind", title="A test job")(run)

    return register


def work():
    queue = django_rq.get_queue("default")
    SimpleWorker([queue], connection=queue.connection).work(burst=True, logging_level="ERROR")


def test_a_job_runs_reports_and_leaves_its_result(cast, kind, settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path

    def run(job):
        job.progress(2, 2, "two rows")
        job.attach("rows.csv", b"a,b\n")

    kind(run)
    row = jobs.start_job("tests.kind", owner=cast.agent)
    work()
    row.refresh_from_db()
    assert (row.state, row.percent, row.result_name) == (JobState.DONE, 100, "rows.csv")
    assert b"".join(jobs.result_of(row)) == b"a,b\n"
    path = jobs.jobs_dir() / row.result_path
    assert b"a,b" not in path.read_bytes(), "nobody who reads the disk reads the list"
    assert path.stat().st_mode & 0o077 == 0


def test_a_job_writes_in_its_owners_language_zone_and_dates(cast, kind, settings, tmp_path):
    """A list exported in place and the same list from a job look alike."""
    settings.PRIVATE_DIR = tmp_path
    cast.agent.language, cast.agent.time_zone = "de", "Asia/Tokyo"
    cast.agent.preferences = {"formats": {"dates": formats.ISO}}
    cast.agent.save()
    written = []
    kind(lambda job: written.append((formats.moment(dt.datetime(2026, 1, 1, 20, tzinfo=dt.UTC)), get_language())))
    jobs.start_job("tests.kind", owner=cast.agent)
    work()
    assert written == [("2026-01-02, 05:00", "de")]
    assert get_language() != "de"


def done(cast, kind, settings, tmp_path) -> Job:
    settings.PRIVATE_DIR = tmp_path
    kind(lambda job: job.attach("list ä.csv", b"a,b\n"))
    row = jobs.start_job("tests.kind", owner=cast.agent)
    work()
    row.refresh_from_db()
    return row


def test_the_owner_downloads_it_and_nobody_else(cast, kind, settings, tmp_path, browse):
    row = done(cast, kind, settings, tmp_path)
    answer = browse(cast.agent).get(f"/jobs/{row.pk}/download/")
    assert b"".join(answer.streaming_content) == b"a,b\n"
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''list%20%C3%A4.csv"
    assert answer["Cache-Control"] == "private, no-store"
    for other in (cast.other_agent, cast.administrator, cast.client_user):
        assert browse(other).get(f"/jobs/{row.pk}/download/").status_code == 404


def test_a_result_is_deleted_when_its_days_are_over(cast, kind, settings, tmp_path, browse):
    row = done(cast, kind, settings, tmp_path)
    assert jobs.expire_results() == 0
    Job.objects.update(finished_at=timezone.now() - dt.timedelta(days=jobs.RESULT_DAYS, minutes=1))
    assert jobs.expire_results() == 1
    assert not list(jobs.jobs_dir().iterdir())
    assert browse(cast.agent).get(f"/jobs/{row.pk}/download/").status_code == 404
    assert "This file has expired" in browse(cast.agent).get(f"/jobs/{row.pk}/").content.decode()


def test_a_damaged_result_is_said_so(cast, kind, settings, tmp_path, browse):
    row = done(cast, kind, settings, tmp_path)
    path = jobs.jobs_dir() / row.result_path
    path.write_bytes(path.read_bytes()[:-1])
    answer = browse(cast.agent).get(f"/jobs/{row.pk}/download/")
    assert answer.status_code == 409
    assert "damaged" in answer.content.decode()


@pytest.mark.parametrize("where", ["while the result is kept", "in the work itself"])
def test_a_full_disk_is_told_to_the_owner_and_nothing_is_half_kept(cast, kind, settings, tmp_path, monkeypatch, where):
    settings.PRIVATE_DIR = tmp_path

    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    def run(job):
        if where == "in the work itself":
            full(0)
        job.attach("list.csv", b"a,b\n" * 1000)

    monkeypatch.setattr("crm.security.sealed_files.os.fsync", full)
    kind(run)
    row = jobs.start_job("tests.kind", owner=cast.agent)
    work()
    row.refresh_from_db()
    assert row.state == JobState.FAILED
    assert row.message == "The file couldn't be saved: our storage is full. Please try again later."
    assert not row.result_path
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_a_cancelled_job_had_attached_is_thrown_away(cast, kind, settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path

    def run(job):
        job.attach("list.csv", b"half")
        Job.objects.filter(pk=job.row.pk).update(cancel_requested=True)
        job.progress(1, 1, "")

    kind(run)
    row = jobs.start_job("tests.kind", owner=cast.agent)
    work()
    row.refresh_from_db()
    assert (row.state, row.result_path) == (JobState.CANCELLED, "")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_jobs_that_a_restarted_redis_forgot_are_handed_over_again(cast, kind):
    seen = []
    kind(lambda job: seen.append(job.row.pk))
    row = jobs.start_job("tests.kind", owner=cast.agent)
    django_rq.get_queue("default").connection.flushall()
    work()
    assert not seen
    assert jobs.requeue_forgotten() == 0, "it was only just handed over"
    Job.objects.update(created_at=timezone.now() - dt.timedelta(minutes=1))
    assert jobs.requeue_forgotten() == 1
    assert jobs.requeue_forgotten() == 0, "it stands in the queue: once is enough"
    work()
    assert seen == [row.pk]


def test_a_job_started_while_redis_is_away_waits_and_runs(cast, kind, monkeypatch):
    seen = []
    kind(lambda job: seen.append(job.row.pk))

    def away(*_args, **_named):
        raise RedisAway("Connection refused")

    with monkeypatch.context() as patch:
        patch.setattr("rq.Queue.enqueue", away)
        row = jobs.start_job("tests.kind", owner=cast.agent)
    Job.objects.update(created_at=timezone.now() - dt.timedelta(minutes=1))
    assert jobs.requeue_forgotten() == 1
    work()
    assert seen == [row.pk]


def test_a_job_that_fails_tells_its_owner_why(cast, kind):
    def run(job):
        raise ValueError("row 3: no such currency")

    kind(run)
    row = jobs.start_job("tests.kind", owner=cast.agent)
    work()
    row.refresh_from_db()
    assert row.state == JobState.FAILED and "row 3" in row.message


def test_a_cancelled_job_stops_at_its_next_report(cast, kind):
    seen = []

    def run(job):
        for n in range(1, 4):
            seen.append(n)
            Job.objects.filter(pk=job.row.pk).update(cancel_requested=True)
            job.progress(n, n, "")

    kind(run)
    row = jobs.start_job("tests.kind", owner=cast.agent)
    work()
    row.refresh_from_db()
    assert (row.state, seen) == (JobState.CANCELLED, [1])


def test_only_the_owner_cancels(cast, kind):
    kind(lambda job: None)
    row = jobs.start_job("tests.kind", owner=cast.agent)
    jobs.cancel_job(job_id=row.pk, actor=cast.other_agent)
    row.refresh_from_db()
    assert not row.cancel_requested


def test_a_job_handed_over_twice_runs_once(cast, kind):
    seen = []
    kind(lambda job: seen.append(1))
    row = jobs.start_job("tests.kind", owner=cast.agent)
    jobs.enqueue(row.pk)
    work()
    jobs.run_job(row.pk)
    assert seen == [1]


def test_a_kind_that_may_take_long_is_not_given_up_after_an_hour(cast, monkeypatch):
    monkeypatch.setitem(jobs.KINDS, "test.long", jobs.JobKind("test.long", "Long", lambda job: None, hours=6))
    now = timezone.now()
    for kind, hours in (("test.long", 5), ("test.long", 13), ("wallet.document", 2)):
        Job.objects.create(
            kind=kind,
            title=f"{kind} {hours}",
            owner=cast.finance,
            state="running",
            started_at=now - dt.timedelta(hours=hours),
        )
    jobs.requeue_forgotten()
    assert set(Job.objects.filter(state="failed").values_list("title", flat=True)) == {
        "test.long 13",
        "wallet.document 2",
    }
