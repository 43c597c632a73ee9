"""What people ask for and wait on: a recalculation, compared and then proposed."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.files.jobs import RunningJob, job_kind
from crm.models import Brand
from ib.agreements.what_if import run_what_if
from ib.recalculations.proposals import propose_recalculation


@job_kind("ib.recompute", title=gettext_lazy("Commission recalculation"))
def recompute(job: RunningJob) -> None:
    """Compare the days with what was accrued, and point to the proposal where money would change."""
    first, last = (dt.date.fromisoformat(job.parameters[name]) for name in ("first", "last"))
    item, comparison = propose_recalculation(
        brand=Brand.objects.get(pk=job.parameters["brand"]),
        from_at=dt.datetime.combine(first, dt.time(), tzinfo=dt.UTC),
        to_at=dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC),
        actor=job.owner,
        reason=job.parameters["reason"],
    )
    if item is not None:
        job.progress(1, 1, _("Differences found. They're applied when a second person approves them."))
        job.point_to(f"/approvals/recalculation/{item.pk}/")
        return
    message = _("No commission changes. Reasons of unpaid deals were updated.") if comparison.deal_ids else ""
    job.progress(1, 1, message or _("No differences: all commissions are as calculated."))
    job.point_to("/ib/runs/")


@job_kind("ib.what_if", title=gettext_lazy("What-if of a commission plan"))
def what_if(job: RunningJob) -> None:
    """Try a version out on the trades of the last days, and point to the result."""
    about = job.parameters
    kept = run_what_if(
        version_id=about["version"],
        days=about["days"],
        for_plan_id=about["for_plan"],
        actor=job.owner,
        progress=job.progress,
    )
    job.point_to(kept.get_absolute_url())
