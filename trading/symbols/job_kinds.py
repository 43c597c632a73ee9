"""Being in step, as work that a person waits for: deals of mapped symbols, the past, a difference asked about again."""

from __future__ import annotations

from contextlib import closing

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.files.jobs import RunningJob, job_kind
from trading.models import Backfill, ReconcileBreak
from trading.symbols import mapping
from trading.sync import backfill, breaks, reconcile


@job_kind(mapping.JOB, title=gettext_noop("Recalculate deals of mapped symbols"), hours=6)
def resolve_symbols(job: RunningJob) -> None:
    """Publish the deals that waited for their symbol, for whoever counts deals."""
    count = 0
    for count in mapping.resolve_deals(job.parameters["info_ids"]):
        job.progress(count, 0, _("%(n)s deals") % {"n": count})
    job.progress(count, count, _("%(n)s deals") % {"n": count})
    job.point_to(reverse("trading_symbols"))


@job_kind(backfill.JOB, title=gettext_noop("Download deal history"), hours=24)
def read_the_past(job: RunningJob) -> None:
    """Read a span of past days with its progress; a cancelled job keeps what it read and can be resumed."""
    with closing(backfill.work(job.parameters["backfill_id"])) as windows:
        for row in windows:
            figures = {"done": row.days_done, "days": row.days, "new": row.new, "deals": row.deals}
            job.progress(
                row.days_done, row.days, _("%(done)s of %(days)s days: %(deals)s deals, %(new)s new") % figures
            )
    job.point_to(
        reverse("trading_server_steps", args=[Backfill.objects.get(pk=job.parameters["backfill_id"]).server_id])
    )


@job_kind(breaks.JOB, title=gettext_noop("Retrying the platform"))
def fetch_again(job: RunningJob) -> None:
    """Ask the platform again about one difference, and link the job to its page."""
    row = ReconcileBreak.objects.select_related("server", "account__server").get(pk=job.parameters["break_id"])
    reconcile.recheck_difference(
        row, lambda done, total, text: job.progress(done, total, text or _("%(n)s deals") % {"n": done})
    )
    job.point_to(reverse("trading_break", args=[row.pk]))
