"""What can be downloaded of an import, and the job that makes a long file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy

from crm.files.jobs import RunningJob, job_kind
from crm.imports import reporting
from crm.models import DataImport
from crm.ui.exports import write_csv

JOB = "crm.data_import_file"
INLINE_ROWS_MAX = 10_000
DOWNLOADS: dict[str, Callable[[DataImport], Iterator[list[Any]]]] = {
    "refused": reporting.refused_lines,
    "report": reporting.report_lines,
}


@job_kind(JOB, title=gettext_lazy("File of a data import"))
def make_file(job: RunningJob) -> None:
    """Run the job that writes refused rows, or the report, of a large import."""
    batch = DataImport.objects.get(pk=job.parameters["import"], rows_deleted_at=None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        write_csv(DOWNLOADS[job.parameters["what"]](batch), path, lambda done: job.progress(done))
        job.attach(job.parameters["name"], path)
