"""Another system's history as a file in the browser: uploaded, mapped, scored, and deleted after a week.

A file is JSONL, an event a line, or a table, of which each row is made one. What its fields and kinds are is recognised; a person
corrects it. The plain content is on disk only while a job scores it.
"""

from __future__ import annotations

import datetime as dt
import io
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.db.locking import lock
from crm.due import DueKind, cancel, declare, due
from crm.errors import DomainError, NotFound, WrongState
from crm.files.jobs import RunningJob, job_kind, start_job
from crm.imports import reading
from crm.models import DueRow, User
from crm.security import audit, sealed_files
from crm.security.policies import require_permission
from crm.ui.exports import csv_lines
from monitoring.audit_codes import MonitoringAction
from monitoring.history import mapping, recognition
from monitoring.history.judging import COLUMNS, Judged, judge_file
from monitoring.history.models import HistoryFile
from monitoring.history.reading import SAMPLE, Reader

RIGHT: Final = "monitoring.score_history"
FOLDER: Final = "agent-history"
PURPOSE: Final = "agent-history"
FILES: Final = sealed_files.of_instance(PURPOSE)
DAYS_KEPT: Final = 7
SAMPLE_BYTES: Final = 4 * 2**20
SAMPLES_SHOWN, SAMPLE_CHARS, KINDS_LISTED = 3, 30, 60
OUR_KINDS: Final = (*(kind for kind, _words in mapping.KINDS), "context", "other")
SCORE: Final = "monitoring.score_history"


@dataclass(frozen=True)
class Preview:
    """The beginning of a file. keys: its fields with examples; fields: ours to its; kinds: (its, how often, ours)."""

    keys: dict[str, list[str]]
    fields: dict[str, str]
    kinds: list[tuple[str, int, str]]


def histories_visible_to(user: User) -> QuerySet[HistoryFile]:
    """List the files that the user uploaded; nobody sees another's."""
    return HistoryFile.objects.filter(owner=user)


def path_of(history_id: int) -> Path:
    """Locate the sealed file."""
    return Path(settings.PRIVATE_DIR) / FOLDER / str(history_id)


def work_of(history_id: int) -> Path:
    """Locate the folder of a running job. What a killed one left goes with the next run, or with the file at the latest."""
    return Path(settings.PRIVATE_DIR) / f"{FOLDER}-work" / str(history_id)


@transaction.atomic
def upload_history(*, actor: User, file_name: str, content: bytes) -> HistoryFile:
    """Keep an uploaded history. Nothing is scored yet.

    Who: `monitoring.score_history`. Raises: NotAllowed; DomainError where the file holds no events or is no table; StorageFull.
    """
    require_permission(actor, RIGHT)
    lines = _as_lines(content, file_name)
    history = HistoryFile.objects.create(
        owner=actor, file_name=file_name[:160], size_bytes=len(content), uploaded_at=timezone.now()
    )
    sealed_files.write(path_of(history.pk), lines, owner=FILES)
    due(DELETE, key=history.pk, at=history.uploaded_at + dt.timedelta(days=DAYS_KEPT))
    audit.record(
        actor=actor,
        action=MonitoringAction.HISTORY_UPLOADED,
        target=history,
        after={"file": history.file_name, "bytes": history.size_bytes},
    )
    return history


def _as_lines(content: bytes, file_name: str) -> bytes:
    """Return the events as JSONL: the file itself, or each row of a table as one."""
    text = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith((b"{", b"[")):
        table = reading.open_table(content, file_name)
        rows = (dict(zip(table.header, row.values, strict=False)) for row in table.rows if not row.problem)
        text = b"\n".join(orjson.dumps(row) for row in rows)
    elif text.startswith(b"["):
        raise DomainError(_("The file is one JSON list. Save it with one event per line (JSONL), or as CSV."))
    if not _events(text):
        raise DomainError(_("The file has no events: a JSON object per line, or a table with column names."))
    return text


def _events(lines: bytes) -> list[dict[str, Any]]:
    """Read the events of the first lines, flattened."""
    found = []
    for line in io.BytesIO(lines[:SAMPLE_BYTES]).readlines()[:SAMPLE]:
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(event, dict):
            found.append(mapping.flat(event))
    return found


def preview(history: HistoryFile, fields: Mapping[str, str] | None = None) -> Preview:
    """Show what a file's beginning holds; fields: ours to its, as they are being chosen. Raises: FileMissing, FileDamaged."""
    events = _events(_beginning(history.pk))
    examples: dict[str, dict[str, None]] = {}
    for event in events:
        for key, value in event.items():
            if value not in (None, "") and len(seen := examples.setdefault(key, {})) < SAMPLES_SHOWN:
                seen[str(value)[:SAMPLE_CHARS]] = None
    stated = {ours: theirs for ours, theirs in (fields or history.fields).items() if not theirs or theirs in examples}
    chosen = recognition.fields_of(events, stated)
    words = Counter(str(event.get(chosen.get("kind", ""), ""))[:80] for event in events)
    words.pop("", None)
    kinds = [
        (word, count, history.kinds.get(word) or mapping.kind_of(word) or "other")
        for word, count in words.most_common(KINDS_LISTED)
    ]
    return Preview({key: list(seen) for key, seen in sorted(examples.items())}, chosen, kinds)


def _beginning(history_id: int) -> bytes:
    found = bytearray()
    for piece in sealed_files.stream(path_of(history_id), owner=FILES):
        found += piece
        if len(found) >= SAMPLE_BYTES:
            break
    return bytes(found)


@transaction.atomic
def score_history(
    *, history_id: int, actor: User, fields: Mapping[str, str], kinds: Mapping[str, str], per_100: float
) -> HistoryFile:
    """Score a file as it is mapped, as a job whose result is the list of agent-days.

    fields: our field to the file's, "" for none. kinds: the file's kind of event to ours. per_100: cases per 100 agent-days.
    Who: its owner, with `monitoring.score_history`. Raises: NotAllowed; NotFound; WrongState while it is being scored;
    DomainError without a time or an agent.
    """
    require_permission(actor, RIGHT)
    history = _own(history_id, actor)
    if history.job is not None and history.job.is_open:
        raise WrongState(_("This file is being scored. Wait for the result, or cancel the job."))
    for ours, message in (
        ("ts", _("Choose the field with the time of an event.")),
        ("agent", _("Choose the field with the agent.")),
    ):
        if not fields.get(ours):
            raise DomainError(message, code=f"field_{ours}")
    if set(fields) - set(mapping.FIELDS) or set(kinds.values()) - set(OUR_KINDS) or not 0 < per_100 <= 100:
        raise DomainError(_("Choose from the lists, and more than 0 and at most 100 cases per 100 agent-days."))
    history.fields, history.kinds, history.per_100, history.report = dict(fields), dict(kinds), per_100, {}
    history.job = start_job(SCORE, owner=actor, parameters={"history": history.pk}, title=history.file_name)
    history.save(update_fields=["fields", "kinds", "per_100", "report", "job"])
    audit.record(
        actor=actor,
        action=MonitoringAction.HISTORY_SCORED,
        target=history,
        after={"fields": history.fields, "per_100": per_100},
    )
    return history


@transaction.atomic
def delete_history(*, history_id: int, actor: User) -> None:
    """Delete a file before its week is over. Who: its owner. Raises: NotAllowed; NotFound; WrongState while it is scored."""
    require_permission(actor, RIGHT)
    history = _own(history_id, actor)
    if history.job is not None and history.job.is_open:
        raise WrongState(_("This file is being scored. Wait for the result, or cancel the job."))
    cancel(DELETE, history.pk)
    _delete(history, actor)


def _own(history_id: int, actor: User) -> HistoryFile:
    if not histories_visible_to(actor).filter(pk=history_id).exists():
        raise NotFound(_("This file was deleted."))
    return lock(HistoryFile, history_id)


def _delete(history: HistoryFile, actor: User | None) -> None:
    number = history.pk
    audit.record(
        actor=actor, action=MonitoringAction.HISTORY_DELETED, target=history, before={"file": history.file_name}
    )
    history.delete()
    transaction.on_commit(lambda: _remove_files(number))


def _remove_files(number: int) -> None:
    path_of(number).unlink(missing_ok=True)
    shutil.rmtree(work_of(number), ignore_errors=True)


def _expire(row: DueRow) -> None:
    history = HistoryFile.objects.filter(pk=int(row.key)).first()
    if history is not None:
        _delete(history, None)


@job_kind(SCORE, title=gettext_lazy("Scoring of another system's history"), hours=2)
def run_score(job: RunningJob) -> None:
    """Run the job: decrypt the file for its time, judge each agent-day, attach them as CSV, and keep the report."""
    history = HistoryFile.objects.get(pk=job.parameters["history"])
    counts = Counter[str]()
    folder = work_of(history.pk)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        source, target = folder / "events.jsonl", folder / "agent-days.csv"
        with source.open("wb") as plain:
            for piece in sealed_files.stream(path_of(history.pk), owner=FILES):
                plain.write(piece)
        reader = Reader(source, fields=history.fields, kinds=history.kinds, work=folder)
        with target.open("w", encoding="utf-8", newline="") as out:
            out.writelines(csv_lines(_rows(judge_file(reader, per_100=history.per_100), counts, job)))
        if counts["agent_days"]:
            job.attach("agent-days.csv", target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report = {**reader.report.as_json(), **counts}
    HistoryFile.objects.filter(pk=history.pk).update(report=report)


def _rows(judged: Iterator[Judged], counts: Counter[str], job: RunningJob) -> Iterator[list[Any]]:
    yield list(COLUMNS)
    for row in judged:
        counts["agent_days"] += 1
        counts["alerts"] += row.is_alert
        job.progress(counts["agent_days"], 0, row.day.isoformat())
        yield row.as_row()


DELETE: Final = declare(DueKind("monitoring.delete_history", gettext_lazy("Deletion of an uploaded history"), _expire))
