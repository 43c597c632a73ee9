"""What people of sales wait for: the check of a file, and its import."""

from django.utils.translation import gettext_lazy as _

from crm.files.jobs import RunningJob, job_kind
from leads import imports
from leads.models import LeadImport


def _batch(job: RunningJob) -> LeadImport:
    return LeadImport.objects.select_related("brand", "owner", "campaign").get(pk=job.parameters["import"])


@job_kind("leads.check_import", title=_("Lead file check"))
def check_import(job: RunningJob) -> None:
    """Run the job that reads an uploaded file of leads and prepares its preview."""
    batch = _batch(job)
    with job.beside() as report:
        imports.check(batch, report)
    job.point_to(batch.get_absolute_url())


@job_kind("leads.run_import", title=_("Lead import"))
def run_import(job: RunningJob) -> None:
    """Run the job that imports the leads of a confirmed file."""
    batch = _batch(job)
    with job.beside() as report:
        imports.run(batch, report)
    job.point_to(batch.get_absolute_url())
