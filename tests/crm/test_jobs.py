import django_rq
import pytest
from rq import SimpleWorker

from crm import jobs
from crm.choices import JobState
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
    assert (jobs.jobs_dir() / row.result_path).read_bytes() == b"a,b\n"


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
