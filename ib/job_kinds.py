"""What people ask for and wait on: replays of commissions, and what-ifs of plan versions."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.files.jobs import JobCancelled, RunningJob, job_kind
from ib.agreements.scopes import Scope
from ib.agreements.what_if import run_agreement_what_if, run_what_if
from ib.choices import ReplayState
from ib.replay.replays import JOB, discard_replay, run_replay


@job_kind(JOB, title=gettext_lazy("Commission replay"), hours=2)
def replay(job: RunningJob) -> None:
    """Calculate a past stretch again into the replay's lines; cancelling discards it."""
    replay_id = job.parameters["replay"]
    job.point_to(f"/ib/replays/{replay_id}/")
    try:
        done = run_replay(replay_id=replay_id, progress=job.progress)
    except JobCancelled:
        discard_replay(replay_id=replay_id, actor=job.owner)
        raise
    if done.state == ReplayState.SAME:
        job.progress(1, 1, _("No differences: all commissions are as calculated."))


@job_kind("ib.what_if", title=gettext_lazy("What-if of a commission plan"))
def what_if(job: RunningJob) -> None:
    """Try a version, or a partner's change of plan, out on the trades of the last days, and point to the result."""
    about = job.parameters
    agreement = about.get("agreement")
    if agreement:
        kept = run_agreement_what_if(
            partner_id=agreement["partner"],
            plan_id=agreement["plan"],
            percent=Decimal(agreement["percent"]),
            scope=Scope(**agreement["scope"]),
            days=about["days"],
            actor=job.owner,
            progress=job.progress,
        )
    else:
        kept = run_what_if(
            version_id=about["version"],
            days=about["days"],
            for_plan_id=about["for_plan"],
            actor=job.owner,
            progress=job.progress,
        )
    job.point_to(kept.get_absolute_url())
