"""Facts that raise an alert on their own. Statistics miss bulk exports; a threshold on rows finds them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from django.db.models import Max, Q

from monitoring.choices import Rule, WatchKind
from monitoring.leaving.phases import leaving_on
from monitoring.models import AgentDay, Watch
from monitoring.reasons import Reason, of_rule

EXPORT_ROWS_MIN = 250
OWN_MAX_TIMES = 4
PEER_MEDIAN_TIMES = 3
# An export is ordinary when more than one in so many of the peers' are as large.
ORDINARY_ONE_IN = 20
LEAVER_ROWS_MAX = 50
# A refused attempt or two are a mistake; more are somebody who presses.
REFUSALS_MAX = 2
LOOK_BACK_DAYS = 90


def broken_on(day: dt.date, groups: dict[int, int]) -> dict[int, list[Reason]]:
    """Find the rules that agents broke on a day: {agent: reasons}."""
    counted = AgentDay.objects.filter(Q(export_rows__gt=LEAVER_ROWS_MAX) | Q(refusals__gt=REFUSALS_MAX), day=day)
    found = list(counted.values_list("agent_id", "export_rows", "refusals"))
    rows = {agent_id: exported for agent_id, exported, _refused in found if exported > LEAVER_ROWS_MAX}
    broken: dict[int, list[Reason]] = defaultdict(list)
    if rows:
        limits = export_limits(day, list(rows), groups)
        watched = Watch.objects.on(day).filter(agent_id__in=list(rows), kind=WatchKind.NOTICE)
        leaving = leaving_on(day, rows) | set(watched.values_list("agent_id", flat=True))
        for agent_id, exported in rows.items():
            if exported > limits[agent_id]:
                broken[agent_id].append(of_rule(Rule.BULK_EXPORT, rows=exported, limit=limits[agent_id]))
            if agent_id in leaving:
                broken[agent_id].append(of_rule(Rule.LEAVER_TAKES, rows=exported, limit=LEAVER_ROWS_MAX))
    for agent_id, _exported, refused in found:
        if refused > REFUSALS_MAX:
            broken[agent_id].append(of_rule(Rule.KEEPS_TRYING, rows=refused, limit=REFUSALS_MAX))
    return dict(broken)


def export_limits(day: dt.date, agent_ids: list[int], groups: dict[int, int]) -> dict[int, int]:
    """From how many rows on an export is a bulk export: 250, four times the own largest day, three times the median of
    the peers' exporting days, whichever is most; over the last 90 days before."""
    past = AgentDay.objects.filter(day__lt=day, day__gte=day - dt.timedelta(days=LOOK_BACK_DAYS), export_rows__gt=0)
    own = dict(past.filter(agent_id__in=agent_ids).values_list("agent_id").annotate(most=Max("export_rows")).order_by())
    by_group: dict[int, list[int]] = defaultdict(list)
    for agent_id, rows in past.values_list("agent_id", "export_rows")[:20_000]:
        if agent_id in groups:
            by_group[groups[agent_id]].append(rows)
    return {pk: export_limit([own.get(pk, 0)], by_group.get(groups.get(pk, -1)) or []) for pk in agent_ids}


def export_limit(own: Sequence[int], peers: Sequence[int]) -> int:
    """From how many rows on an export is bulk, given the rows of own and of peers' exporting days of the last 90 days."""
    ordered = sorted(peers)
    usual = PEER_MEDIAN_TIMES * median(ordered) if ordered else 0
    often = ordered[-1 - len(ordered) // ORDINARY_ONE_IN] if len(ordered) >= ORDINARY_ONE_IN else 0
    return int(max(EXPORT_ROWS_MIN, OWN_MAX_TIMES * max(own, default=0), usual, often))
