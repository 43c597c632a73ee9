"""Sequences of a routing rule: the automations that begin when the rule gives a lead to an agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Q

from leads.automations.choices import AutomationState, TriggerKind
from leads.automations.definition import new_definition
from leads.models import Automation, RoutingRule

EVENT: Final = "lead.assigned"


def draft_for(rule: RoutingRule) -> dict[str, Any]:
    """Write the draft of an automation for those whom a rule assigns, on import or one by one."""
    condition = {"version": 1, "all": [{"field": "rule", "is": "is", "value": rule.name}]}
    return {**new_definition(), "trigger": {"kind": TriggerKind.EVENT.value, "event": EVENT, "condition": condition}}


def sequences_of(rules: Sequence[RoutingRule]) -> dict[int, list[Automation]]:
    """List the automations that each rule's leads start, by the rule's id: drafts and active versions, one query."""
    begins = Q(draft__trigger__event=EVENT) | Q(version__definition__trigger__event=EVENT)
    rows = Automation.objects.filter(begins, brand_id__in={rule.brand_id for rule in rules}).select_related("version")
    found: dict[int, list[Automation]] = {rule.pk: [] for rule in rules}
    for row in rows.exclude(state=AutomationState.ARCHIVED).order_by("name"):
        names = {name for definition in _definitions(row) for name in _rules_named(definition["trigger"])}
        for rule in rules:
            if rule.brand_id == row.brand_id and rule.name in names:
                found[rule.pk].append(row)
    return found


def _definitions(row: Automation) -> list[dict[str, Any]]:
    return [row.draft, *([row.version.definition] if row.version is not None else [])]


def _rules_named(trigger: dict[str, Any]) -> list[str]:
    parts = (trigger.get("condition") or {}).get("all", []) if trigger.get("event") == EVENT else []
    values = [part.get("value") for part in parts if part.get("field") == "rule"]
    return [name for value in values for name in (value if isinstance(value, list) else [value])]
