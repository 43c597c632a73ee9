"""What an administrator waits for: the check of a file, and its import."""

from django.utils.translation import gettext_lazy as _

from crm.files.jobs import RunningJob, job_kind
from crm.imports import applying, checking, upkeep  # noqa: F401  upkeep: its due rows
from crm.models import DataImport


def _batch(job: RunningJob) -> DataImport:
    return DataImport.objects.select_related("brand", "owner").get(pk=job.parameters["import"])


@job_kind("crm.check_data_import", title=_("Check of an import file"), hours=2)
def check_import(job: RunningJob) -> None:
    """Run the job that reads a mapped file and gives each row its verdict."""
    batch = _batch(job)
    with job.beside() as report:
        checking.check(batch, report)
    job.point_to(batch.get_absolute_url())


@job_kind("crm.apply_data_import", title=_("Data import"), hours=6)
def apply_import(job: RunningJob) -> None:
    """Run the job that imports a confirmed file, batch by batch."""
    batch = _batch(job)
    applying.apply(batch, job.progress)
    job.point_to(batch.get_absolute_url())
