"""What people of sales wait for: the check of a file, and its import."""

from django.utils.translation import gettext_lazy as _

from crm.files.jobs import RunningJob, job_kind
from leads import imports
from leads.bulk import in_parts
from leads.import_files import upkeep  # noqa: F401  its due rows
from leads.models import LeadImport


def _batch(job: RunningJob) -> LeadImport:
    return LeadImport.objects.select_related("brand", "owner", "campaign").get(pk=job.parameters["import"])


@job_kind("leads.check_import", title=_("Lead file check"), hours=2)
def check_import(job: RunningJob) -> None:
    """Run the job that reads an uploaded file of leads and prepares its preview."""
    batch = _batch(job)
    with job.beside() as report:
        imports.check(batch, report)
    job.point_to(batch.get_absolute_url())


@job_kind("leads.run_import", title=_("Lead import"), hours=6)
def run_import(job: RunningJob) -> None:
    """Run the job that imports the leads of a confirmed file."""
    batch = _batch(job)
    imports.run(batch, job.progress)
    job.point_to(batch.get_absolute_url())


@job_kind("leads.bulk_change", title=_("Bulk change"))
def bulk_change(job: RunningJob) -> None:
    """Run a bulk change of more people than a request waits for."""
    change_id, clients = job.parameters["change"], job.parameters["clients"]
    job.point_to(f"/leads/bulk/{change_id}/")
    in_parts.change_in_parts(change_id=change_id, client_ids=clients, report=job.progress)


@job_kind("leads.bulk_undo", title=_("Undo bulk change"))
def bulk_undo(job: RunningJob) -> None:
    """Undo such a bulk change."""
    row = in_parts.undo_in_parts(change_id=job.parameters["change"], report=job.progress)
    job.point_to(row.get_absolute_url())
