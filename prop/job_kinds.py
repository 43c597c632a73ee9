"""Jobs of challenges that a person starts and waits for: documents, and what-ifs of programme versions."""

from django.utils.translation import gettext_lazy

import prop.certificates.pdf  # noqa: F401 (registers its kind)
from crm.files.jobs import RunningJob, job_kind
from prop.trials.running import JOB, run_trial


@job_kind(JOB, title=gettext_lazy("What-if of a challenge programme"), hours=2)
def try_version(job: RunningJob) -> None:
    """Try a version on the challenges of the last days, and point to the result."""
    about = job.parameters
    kept = run_trial(
        version_id=about["version"],
        days=about["days"],
        of_programme_id=about["of_programme"],
        actor=job.owner,
        progress=job.progress,
    )
    job.point_to(kept.get_absolute_url())
