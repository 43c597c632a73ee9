"""What people of trading wait for: the reading of a server's logins, and taking over those that fit."""

from __future__ import annotations

import logging

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import trading.symbols.job_kinds  # noqa: F401 (registers its kinds)
from crm.errors import DomainError, WrongState
from crm.files.jobs import RunningJob, job_kind
from trading.cap_breaches import reduction, remedies
from trading.choices import UNDECIDED, Verdict
from trading.imports import attach, matching, reading
from trading.leverage import account_groups
from trading.models import AccountImport, StagedLogin

logger = logging.getLogger(__name__)
BATCH = 500


def _batch(job: RunningJob) -> AccountImport:
    return AccountImport.objects.select_related("server", "owner").get(pk=job.parameters["import"])


@job_kind("trading.read_logins", title=gettext_lazy("Trading server logins"), hours=2)
def read_logins(job: RunningJob) -> None:
    """Read a server's logins into staged rows and link the job to the import's page."""
    batch = _batch(job)
    reading.read(batch, job.progress)
    job.point_to(batch.get_absolute_url())


@job_kind("trading.attach_logins", title=gettext_lazy("Account import"), hours=2)
def attach_logins(job: RunningJob) -> None:
    """Attach every login that fits one client for certain, each in a transaction of its own: a failure costs no other."""
    batch = _batch(job)
    rows = StagedLogin.objects.filter(batch=batch, verdict=Verdict.CLEAN, state__in=UNDECIDED)
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    for done, row_id in enumerate(ids, start=1):
        try:
            attach.attach(row_id=row_id, actor=job.owner)
        except DomainError as error:
            reading.note_problem(row_id, error.message)
        except Exception:
            logger.exception("login %s could not be attached", row_id)
            reading.note_problem(
                row_id,
                _("This login couldn't be attached because of an error. See the log, then try this login on its own."),
            )
        job.progress(done, len(ids), _("accounts imported"))
    job.point_to(batch.get_absolute_url())


@job_kind("trading.match_logins", title=gettext_lazy("Client matching"), hours=1)
def match_logins(job: RunningJob) -> None:
    """Compare an import's undecided logins with today's clients."""
    batch = _batch(job)
    rows = StagedLogin.objects.filter(batch=batch, state__in=UNDECIDED, verdict__in=matching.FITTING)
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        part = StagedLogin.objects.filter(pk__in=ids[start : start + BATCH]).only("pk", "group", "currency")
        matching.match_rows(batch.server, list(part), user=job.owner)
        job.progress(min(start + BATCH, len(ids)), len(ids), _("logins matched"))
    job.point_to(batch.get_absolute_url())


@job_kind("trading.lower_leverage", title=gettext_lazy("Leverage reduction to caps"), hours=2)
def lower_leverage(job: RunningJob) -> None:
    """Lower every account above its cap without open positions; one that can't be changed costs no other."""
    total, done, failed, last = reduction.count_above(job.owner), 0, 0, 0
    while rows := reduction.due(job.owner, after=last):
        for account_id in rows:
            last = account_id
            try:
                reduction.lower(account_id=account_id, actor=job.owner)
                done += 1
            except DomainError:
                failed += 1
            job.progress(done + failed, max(total, done + failed), _("accounts checked"))
    job.point_to(reverse("trading_caps_above"))


@job_kind("trading.put_classes_right", title=gettext_lazy("Instrument class cap remedies"), hours=2)
def put_classes_right(job: RunningJob) -> None:
    """Put right what was chosen on the page, account by account; one that fails costs no other. May run twice."""
    account_groups.refresh()
    chosen = set(job.parameters["chosen"])
    ids, done, left, failed = remedies.ids_of(job.owner, chosen), 0, 0, 0
    for account_id in ids:
        try:
            remedies.put_right(account_id=account_id, chosen=chosen, actor=job.owner)
            done += 1
        except WrongState:
            left += 1
        except DomainError:
            failed += 1
        summary = _("%(done)s resolved, %(left)s unchanged, %(failed)s failed")
        job.progress(done + left + failed, len(ids), summary % {"done": done, "left": left, "failed": failed})
    account_groups.refresh()
    job.point_to(reverse("trading_caps_above"))
