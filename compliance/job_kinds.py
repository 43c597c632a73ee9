"""What compliance makes in the background while somebody waits: packs, and screening everybody again."""

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.queries import clients_visible_to, get_client
from compliance import packs
from compliance.aml.backtesting import run_backtest
from compliance.aml.models import AmlRuleVersion
from compliance.choices import ScreeningTrigger
from compliance.lists import refresh
from compliance.screening import screen_client
from compliance.trails import TrailFilter
from crm.files.jobs import RunningJob, job_kind

BATCH = 500


@job_kind("compliance.trail_pack", title=gettext_lazy("Audit trail"))
def trail_pack(job: RunningJob) -> None:
    """Run the job that builds a client's audit pack, with its owner's rights and reach."""
    client = get_client(job.owner, job.parameters["client_id"])
    chosen = TrailFilter.from_parameters(job.parameters)
    name, content = packs.make_pack(client=client, actor=job.owner, chosen=chosen, progress=job.progress)
    job.attach(name, content)


@job_kind("compliance.refresh_list", title=gettext_lazy("Check a watchlist"))
def check_list(job: RunningJob) -> None:
    """Check a list at its publisher, or take a shrunken version that waits for it."""
    version_id, source_id = job.parameters["version_id"], job.parameters["source_id"]
    if version_id:
        version = refresh.confirm_shorter(version_id=version_id, actor=job.owner)
    else:
        version = refresh.refresh_list(source_id=source_id, actor=job.owner)
    job.progress(1, 1, _("A new version was imported.") if version else _("Nothing has changed."))
    job.point_to(f"/compliance/watchlists/{source_id}/")


@job_kind("compliance.screen_all", title=gettext_lazy("Screen all verified clients"))
def screen_all(job: RunningJob) -> None:
    """Screen every verified client in the owner's reach against the lists in force: after a new list, or to be sure."""
    people = clients_visible_to(job.owner).filter(kyc_level__gte=1).exclude(stage="closed")
    # Somebody without a name can't be screened, and keeps nobody else from it.
    people = people.exclude(first_name="", last_name="")
    done = hits = after = 0
    while ids := list(people.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        for client_id in ids:
            screening = screen_client(client_id=client_id, trigger=ScreeningTrigger.LIST, actor=job.owner)
            done, hits = done + 1, hits + (screening.hit_count if screening else 0)
            job.progress(done, 0, _("Screened: %(done)d, possible matches: %(hits)d") % {"done": done, "hits": hits})
        after = ids[-1]
    job.point_to("/compliance/hits/")


@job_kind("compliance.aml_backtest", title=gettext_lazy("Back-test of an AML rule"))
def aml_backtest(job: RunningJob) -> None:
    """Try a version of a rule out on history, with its owner's rights, and point to the rule's page."""
    version = AmlRuleVersion.objects.select_related("rule__brand").get(pk=job.parameters["version"])
    start, end = (dt.datetime.fromisoformat(job.parameters[name]) for name in ("start", "end"))
    with job.beside() as report:
        run_backtest(
            version=version,
            start=start,
            end=end,
            actor=job.owner,
            progress=lambda done, total: report(done, total, _("Rules compared: %(done)d") % {"done": done}),
        )
    job.point_to(version.rule.get_absolute_url())
