"""Back-tests: what a version would have raised over a past time, how often, on whom, and what other rules raise on them too."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.aml import policies
from compliance.aml.choices import VersionState
from compliance.aml.models import AmlBacktest, AmlRuleVersion
from compliance.aml.queries import history_begins
from compliance.aml.rules import hash_of
from compliance.aml.running import Raised, raised_in
from crm.errors import DomainError
from crm.files.jobs import start_job
from crm.models import Actor, Job, User
from crm.security.policies import require

DAYS_MAX: Final = 732
SAMPLES: Final = 20
OTHERS_MAX: Final = 50


def check_period(start: dt.datetime, end: dt.datetime) -> None:
    """Refuse a period that is empty, too long, or not over yet. Raises: DomainError."""
    if not start < end <= timezone.now() + dt.timedelta(minutes=1):
        raise DomainError(_("The period must begin before it ends, and end today at the latest."))
    if end - start > dt.timedelta(days=DAYS_MAX):
        raise DomainError(_("A back-test covers at most two years."))


def request_backtest(*, version: AmlRuleVersion, start: dt.datetime, end: dt.datetime, actor: User) -> Job:
    """Start the job that tries a version out. Who: `compliance.write_amlrule` on the whole brand.

    Raises: NotAllowed, DomainError.
    """
    require(policies.can_write(actor, version.rule))
    check_period(start, end)
    begins = history_begins(version.rule.brand_id)
    if begins is None:
        raise DomainError(_("This brand has no movements yet, so there is nothing to try the rule out on."))
    parameters = {"version": version.pk, "start": max(start, begins).isoformat(), "end": end.isoformat()}
    return start_job("compliance.aml_backtest", owner=actor, parameters=parameters)


@transaction.atomic
def run_backtest(
    *, version: AmlRuleVersion, start: dt.datetime, end: dt.datetime, actor: Actor, progress: Any = None
) -> AmlBacktest:
    """Try a version out and keep the result beside it. Who: as `request_backtest`. progress: called with done and total.

    The overlap is with the brand's live rules over the same time. Raises: NotAllowed, DomainError.
    """
    require(policies.can_write(actor, version.rule))
    check_period(start, end)
    began = time.monotonic()
    others = list(
        AmlRuleVersion.objects.filter(state=VersionState.LIVE, rule__brand_id=version.rule.brand_id)
        .exclude(rule_id=version.rule_id)
        .select_related("rule__brand")
        .order_by("rule__name")[:OTHERS_MAX]
    )
    raised = raised_in(version, start, end)
    clients = {entry.client_id for entry in raised}
    overlap = []
    for place, other in enumerate(others, start=1):
        if progress is not None:
            progress(place, len(others) + 1)
        both = clients & {entry.client_id for entry in raised_in(other, start, end)} if clients else set()
        overlap.append({"rule": other.rule_id, "name": other.rule.name, "version": other.number, "both": len(both)})
    result = AmlBacktest.objects.create(
        version=version,
        content_hash=hash_of(version),
        start=start,
        end=end,
        at=timezone.now(),
        by=actor,
        alert_count=len(raised),
        client_count=len(clients),
        weeks=by_week(raised, start, end),
        samples=[
            {"client": entry.client_id, "at": entry.at.isoformat(), "value": str(entry.value)}
            for entry in sorted(raised, key=lambda entry: (-entry.value, entry.client_id, entry.episode))[:SAMPLES]
        ],
        overlap=overlap,
        duration_ms=round((time.monotonic() - began) * 1000),
    )
    if progress is not None:
        progress(len(others) + 1, len(others) + 1)
    return result


def by_week(raised: list[Raised], start: dt.datetime, end: dt.datetime) -> list[list[Any]]:
    """Count alerts by week, weeks without any included; each is named by its Monday (UTC)."""
    first = start.astimezone(dt.UTC).date()
    day = first - dt.timedelta(days=first.weekday())
    counts = Counter(_monday(entry.at) for entry in raised)
    weeks = []
    while dt.datetime.combine(day, dt.time(), dt.UTC) < end:
        weeks.append([day.isoformat(), counts[day]])
        day += dt.timedelta(days=7)
    return weeks


def _monday(at: dt.datetime) -> dt.date:
    day = at.astimezone(dt.UTC).date()
    return day - dt.timedelta(days=day.weekday())


def per_week(result: AmlBacktest) -> float:
    """Return how many alerts a week to expect."""
    weeks = (result.end - result.start) / dt.timedelta(days=7)
    return result.alert_count / max(weeks, 1 / 7)
