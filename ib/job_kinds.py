"""What people ask for and wait on: a recalculation, day by day with progress."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.files.jobs import RunningJob, job_kind
from crm.models import Brand
from ib import engine


@job_kind("ib.recompute", title=gettext_lazy("Commission recalculation"))
def recompute(job: RunningJob) -> None:
    """Recompute each day in its own transaction: a cancelled job keeps the days that are done, and may be started again."""
    brand = Brand.objects.get(pk=job.parameters["brand"])
    first, last = (dt.date.fromisoformat(job.parameters[name]) for name in ("first", "last"))
    days = (last - first).days + 1
    total = engine.EngineResult()
    for n in range(days):
        start = dt.datetime.combine(first + dt.timedelta(days=n), dt.time(), tzinfo=dt.UTC)
        _run, outcome = engine.recompute(
            brand=brand,
            from_at=start,
            to_at=start + dt.timedelta(days=1),
            actor=job.owner,
            reason=job.parameters["reason"],
        )
        for name in ("deals", "accrued", "excluded", "corrected"):
            setattr(total, name, getattr(total, name) + getattr(outcome, name))
        job.progress(
            n + 1,
            days,
            _("%(deals)s deals, %(corrected)s corrections") % {"deals": total.deals, "corrected": total.corrected},
        )
    job.point_to("/ib/runs/")
