"""The demo's AML monitoring: history in the stream, the recommended rules tried out and mostly live, and cases of two months."""

from __future__ import annotations

import datetime as dt

from django.db import connection

from compliance.aml import backtesting, shipped, stream
from compliance.aml.choices import CaseState, VersionState
from compliance.aml.models import AmlCase, AmlRuleVersion
from compliance.aml.running import run_pending
from crm.choices import WorkState
from crm.demo import Demo
from crm.models import Brand, User, WorkItem

TRIED_DAYS, LIVE_DAYS = 60, 45
OPEN_MAX = 14
# Three that aren't live yet, so that the next step can be tried.
IN_SHADOW, DRAFTED = ("velocity_sum", "declared_means"), "peers"
QUEUE = """
INSERT INTO compliance_amlpending (client_id, since) SELECT client_id, min(at) FROM compliance_amlmovement WHERE at >= %s GROUP BY 1
ON CONFLICT (client_id) DO UPDATE SET since = excluded.since
"""


def load(demo: Demo) -> None:
    for name in sorted(stream.SOURCES):
        stream.backfill(name)
    officers = [*demo.by_role["kyc_officer"], *demo.by_role["mlro"]]
    for brand in demo.brands:
        shipped.add_shipped(brand_id=brand.pk, actor=None)
        _try_out(demo, brand, officers)
    since = demo.now - dt.timedelta(days=LIVE_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(QUEUE, [since])
    run_pending()
    _decide(demo, officers)


def _try_out(demo: Demo, brand: Brand, officers: list[User]) -> None:
    """Back-test each rule as an officer did before it went live."""
    start, since = (demo.now - dt.timedelta(days=days) for days in (TRIED_DAYS, LIVE_DAYS))
    versions = AmlRuleVersion.objects.filter(rule__brand=brand).select_related("rule__brand").order_by("pk")
    for version in versions:
        AmlRuleVersion.objects.filter(pk=version.pk).update(written_by=officers[0])
        if version.measure == DRAFTED:
            continue
        result = backtesting.run_backtest(version=version, start=start, end=demo.now, actor=None)
        result.at, result.by = since, officers[0]
        result.save(update_fields=["at", "by"])
        version.state = VersionState.SHADOW if version.measure in IN_SHADOW else VersionState.LIVE
        if version.state == VersionState.SHADOW:
            version.shadow_since, version.shadow_by = since, officers[0]
        else:
            version.live_since, version.proposed_by, version.approved_by = since, officers[0], officers[-1]
        version.save()


def _decide(demo: Demo, officers: list[User]) -> None:
    """Date cases back to their alerts; all but the latest few were decided within two days."""
    rows = list(AmlCase.objects.select_related("work", "client").order_by("-last_alert_at", "-pk"))
    for place, case in enumerate(rows):
        assert case.work is not None
        item, opened = case.work, min(case.last_alert_at + dt.timedelta(minutes=3), demo.now)
        item.due_at, item.opened_at, case.opened_at = opened + (item.due_at - item.opened_at), opened, opened
        decided = opened + dt.timedelta(hours=demo.rng.uniform(2, 40))
        if place < OPEN_MAX or decided > demo.now or case.client.risk_rating == "high":
            continue
        officer = demo.rng.choice(officers)
        case.state, case.decided_by, case.decided_at = CaseState.NO_SUSPICION, officer, decided
        case.reason = "Deposits match the declared income; statement on file."
        item.state, item.outcome, item.decided_by = WorkState.FINAL, case.state, officer
        item.decided_at = item.final_at = decided
    WorkItem.objects.bulk_update(
        [case.work for case in rows if case.work],
        ["opened_at", "due_at", "state", "outcome", "decided_by", "decided_at", "final_at"],
    )
    AmlCase.objects.bulk_update(rows, ["opened_at", "state", "decided_by", "decided_at", "reason"])
