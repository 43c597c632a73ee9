"""What a person asked for and waits on: a Job row with an owner, progress, a cancel button and a result, run by RQ.

@job_kind("clients.export", title=_("Client export"))
def export_clients(job: RunningJob) -> None:
    for n, row in enumerate(rows): …; job.progress(n, total, "…")
    job.attach("clients.csv", path_or_bytes)

job = start_job("clients.export", owner=user, parameters={…})      # then redirect to job.get_absolute_url()
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm.choices import JobState
from crm.files import storage
from crm.i18n.reader import reading_as
from crm.models import Job, User
from crm.notices.notify import CHANNEL, push_live
from crm.security import sealed_files

logger = logging.getLogger(__name__)
KINDS: dict[str, JobKind] = {}
PROGRESS_EVERY_SECONDS = 0.3
RESULT_DAYS = 7
HOURS = 0.5  # how long a job may run, unless its kind says more
FORGOTTEN_AFTER = dt.timedelta(seconds=10)
RESULTS = sealed_files.of_instance("job-result")


class JobCancelled(Exception):
    """The owner pressed Cancel; what was done so far is thrown away."""


@dataclass(frozen=True)
class JobKind:
    name: str
    title: str | Promise
    run: Callable[[RunningJob], None]
    hours: float = HOURS


def job_kind(
    name: str, *, title: str | Promise, hours: float = HOURS
) -> Callable[[Callable[[RunningJob], None]], Callable[[RunningJob], None]]:
    """Register the function that does a kind of job; hours: how long it may run."""

    def register(run: Callable[[RunningJob], None]) -> Callable[[RunningJob], None]:
        KINDS[name] = JobKind(name, title, run, hours)
        return run

    return register


class RunningJob:
    """What a job function gets: its parameters, and the means to report, to notice a cancel and to attach a result."""

    def __init__(self, row: Job) -> None:
        self.row = row
        self.owner: User = row.owner
        self.parameters: dict[str, Any] = row.parameters
        self._reported_at = 0.0

    def progress(self, done: int, total: int = 0, message: str = "") -> None:
        """Report; raises JobCancelled when the owner pressed Cancel. Writes at most three times a second."""
        now = time.monotonic()
        if now - self._reported_at < PROGRESS_EVERY_SECONDS and done != total:
            return
        self._reported_at = now
        Job.objects.filter(pk=self.row.pk).update(
            done=min(done, total) if total else done, total=total, message=message[:300]
        )
        push_live(
            self.row.owner_id, event="job", data={"id": self.row.pk, "done": done, "total": total, "message": message}
        )
        if Job.objects.filter(pk=self.row.pk, cancel_requested=True).exists():
            raise JobCancelled

    @contextlib.contextmanager
    def beside(self) -> Iterator[Callable[[int, int, str], None]]:
        """`progress` for the inside of a long transaction, through a connection of its own.

        The job's row is neither locked by the transaction nor kept from view until it commits.
        """
        other = connection.copy()
        reported_at = 0.0

        def report(done: int, total: int = 0, message: str = "") -> None:
            nonlocal reported_at
            now = time.monotonic()
            if now - reported_at < PROGRESS_EVERY_SECONDS and done != total:
                return
            reported_at = now
            live = {"id": self.row.pk, "done": done, "total": total, "message": message}
            payload = json.dumps({"user": self.row.owner_id, "event": "job", "data": live})
            with other.cursor() as cursor:
                cursor.execute(
                    "UPDATE crm_job SET done = %s, total = %s, message = %s WHERE id = %s RETURNING cancel_requested",
                    [min(done, total) if total else done, total, message[:300], self.row.pk],
                )
                row = cursor.fetchone()
                cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
            if row and row[0]:
                raise JobCancelled

        try:
            yield report
        finally:
            other.close()

    def attach(self, name: str, content: bytes | Path) -> None:
        """Keep the result for download by the owner, encrypted, for RESULT_DAYS. Raises: StorageFull, nothing kept."""
        path = f"{self.row.pk}.sealed"
        if isinstance(content, Path):
            with content.open("rb") as source:
                sealed_files.write(jobs_dir() / path, source, owner=RESULTS)
        else:
            sealed_files.write(jobs_dir() / path, content, owner=RESULTS)
        self.row.result_name, self.row.result_path = name, path
        Job.objects.filter(pk=self.row.pk).update(result_name=name, result_path=path)

    def point_to(self, url: str, *, file_name: str = "") -> None:
        """Make a page the job's result, or with `file_name` a file that is kept elsewhere."""
        Job.objects.filter(pk=self.row.pk).update(result_url=url, result_name=file_name[:160])


def jobs_dir() -> Path:
    """Return the folder of the jobs' results."""
    return Path(settings.PRIVATE_DIR) / "jobs"


def result_of(job: Job) -> Iterator[bytes]:
    """Read the result's content in chunks. Raises: FileMissing, FileDamaged."""
    path = (jobs_dir() / job.result_path).resolve()
    if not job.result_path or not path.is_relative_to(jobs_dir().resolve()):
        raise sealed_files.FileMissing(job.result_path)
    yield from sealed_files.stream(path, owner=RESULTS)


def expire_results() -> int:
    """Delete results that were there for RESULT_DAYS: exports hold what a client may have had erased since."""
    due = Job.objects.filter(finished_at__lt=timezone.now() - dt.timedelta(days=RESULT_DAYS)).exclude(result_path="")
    rows = list(due.order_by("pk")[:500])
    for row in rows:
        _drop_result(row)
    return len(rows)


def drop_results(*, owner_id: int) -> int:
    """Delete the files of all of a person's jobs, of somebody who leaves; the jobs stay. Returns how many there were."""
    rows = list(Job.objects.filter(owner_id=owner_id).exclude(result_path=""))
    for row in rows:
        _drop_result(row)
    return len(rows)


def _drop_result(row: Job) -> None:
    if row.result_path:
        (jobs_dir() / row.result_path).unlink(missing_ok=True)
        Job.objects.filter(pk=row.pk).update(result_path="")


def start_job(kind: str, *, owner: User, parameters: dict[str, Any] | None = None, title: str = "") -> Job:
    """Create the row and hand its id to RQ when the transaction commits; a broker that is away leaves it queued."""
    job = Job.objects.create(
        kind=kind,
        title=title or str(KINDS[kind].title),
        owner=owner,
        parameters=parameters or {},
        state=JobState.QUEUED,
    )
    transaction.on_commit(lambda: enqueue(job.pk))
    return job


def enqueue(job_id: int) -> None:
    """Hand a job to the workers; while the broker is away it waits for beat (`requeue_forgotten`)."""
    import django_rq
    from redis.exceptions import RedisError

    try:
        kind = KINDS.get(Job.objects.values_list("kind", flat=True).get(pk=job_id))
        seconds = int((kind.hours if kind else HOURS) * 3600)
        django_rq.get_queue("default").enqueue(run_job, job_id, job_id=_queue_name(job_id), job_timeout=seconds)
    except (RedisError, OSError):
        logger.warning("the broker is away; beat will hand job %s over", job_id)


def run_job(job_id: int) -> None:
    """Run a job, as RQ's entry point. One that was cancelled, or ran already, does nothing."""
    claimed = Job.objects.filter(pk=job_id, state=JobState.QUEUED, cancel_requested=False).update(
        state=JobState.RUNNING, started_at=timezone.now()
    )
    if not claimed:
        Job.objects.filter(pk=job_id, state=JobState.QUEUED).update(
            state=JobState.CANCELLED, finished_at=timezone.now()
        )
        return
    row = Job.objects.select_related("owner").get(pk=job_id)
    try:
        with reading_as(row.owner):
            KINDS[row.kind].run(RunningJob(row))
    except JobCancelled:
        _finish(row, JobState.CANCELLED, _("Cancelled"))
    except Exception as error:  # any failure is the owner's to see, and the log's to keep
        logger.exception("job %s failed", job_id)
        Job.objects.filter(pk=job_id).update(error=f"{type(error).__name__}: {error}"[:4000])
        if storage.is_full(error):
            error = sealed_files.no_room()
        _finish(row, JobState.FAILED, str(error)[:300])
    else:
        _finish(row, JobState.DONE, _("Done"))


def _finish(row: Job, state: JobState, message: str) -> None:
    if state != JobState.DONE:
        _drop_result(row)
    with transaction.atomic():
        # Set at once: `progress` writes the row through another connection. Failed: it was taken for dead meanwhile.
        ended = Job.objects.filter(pk=row.pk, state__in=[JobState.RUNNING, JobState.FAILED])
        ended.update(state=state, finished_at=timezone.now(), message=message)
        push_live(row.owner_id, event="job", data={"id": row.pk, "state": state.value, "message": message})


def cancel_job(*, job_id: int, actor: User) -> None:
    """Cancel a job for its owner: a queued one never starts, a running one stops at its next progress report."""
    Job.objects.filter(pk=job_id, owner=actor, state__in=[JobState.QUEUED, JobState.RUNNING]).update(
        cancel_requested=True
    )
    Job.objects.filter(pk=job_id, owner=actor, state=JobState.QUEUED).update(
        state=JobState.CANCELLED, finished_at=timezone.now()
    )


def requeue_forgotten() -> int:
    """Hand over jobs that the broker does not know (it was away, or lost its queue); fail those whose worker died."""
    now = timezone.now()
    waiting = Job.objects.filter(state=JobState.QUEUED, created_at__lt=now - FORGOTTEN_AFTER).order_by("pk")
    forgotten = _not_in_queue(list(waiting.values_list("pk", flat=True)[:100]))
    for pk in forgotten:
        enqueue(pk)
    _give_up(Job.objects.filter(_over_time(now)))
    return len(forgotten)


def give_up(job_id: int) -> None:
    """Fail a running job whose worker died, for who can tell before its time is over."""
    _give_up(Job.objects.filter(pk=job_id))


def _give_up(jobs: QuerySet[Job]) -> None:
    jobs.filter(state=JobState.RUNNING).update(
        state=JobState.FAILED,
        finished_at=timezone.now(),
        error="The worker stopped before the job ended. Start it again.",
    )


def _over_time(now: dt.datetime) -> Q:
    """Select the jobs that should have ended long ago: after twice the time that their kind may take."""
    longer = {name: kind.hours for name, kind in KINDS.items() if kind.hours > HOURS}
    over = Q(started_at__lt=now - dt.timedelta(hours=2 * HOURS)) & ~Q(kind__in=list(longer))
    for name, hours in longer.items():
        over |= Q(kind=name, started_at__lt=now - dt.timedelta(hours=2 * hours))
    return over


def _not_in_queue(ids: list[int]) -> list[int]:
    """List those that no worker will pick up; none while the broker is away."""
    import django_rq
    from redis.exceptions import RedisError

    if not ids:
        return []
    try:
        known = set(django_rq.get_queue("default").job_ids)
    except (RedisError, OSError):
        return []
    return [pk for pk in ids if _queue_name(pk) not in known]


def _queue_name(job_id: int) -> str:
    return f"keelson-job-{job_id}"
