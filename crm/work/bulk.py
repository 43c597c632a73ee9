"""One outcome for many items: a preview that decides nothing, then one decision after the other, each in its own transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from crm.errors import Refusal, outcome_of
from crm.i18n.localized_text import LocalizedText
from crm.models import User, WorkItem
from crm.work.items import among_visible_to, may_decide
from crm.work.kinds import WorkKind

DECIDED_AT_ONCE_MAX = 50


@dataclass(frozen=True)
class DecisionLine:
    """One item of a bulk decision: why it is left out, or whether a second person has to agree."""

    kind: WorkKind[Any]
    item: WorkItem
    subject: Any
    takes_two: bool
    problem: str = ""
    is_done: bool = False

    @property
    def title(self) -> LocalizedText:
        return self.kind.title(self.subject)


def preview_decisions(
    kind: WorkKind[Any], *, item_ids: Iterable[int], user: User, outcome: str, check: Callable[[Any], str] | None = None
) -> list[DecisionLine]:
    """Say for each open item that a person sees whether they can decide it so. Nothing is changed.

    check: what the app finds wrong with a subject, in words; "" where nothing is.
    """
    ids = among_visible_to(user, list(item_ids)[:DECIDED_AT_ONCE_MAX])
    items = list(
        WorkItem.objects.filter(pk__in=ids, kind=kind.code).select_related("claimed_by", "brand").order_by("pk")
    )
    subjects = kind.subjects(items)
    lines = []
    for item in items:
        subject = subjects[item.pk]
        allowed = kind.may_work(user, subject)
        allowed = may_decide(user, item) if allowed else allowed
        problem = allowed.reason if not allowed else check(subject) if check else ""
        takes_two = kind.outcomes[outcome].needs_second_person(subject)
        lines.append(DecisionLine(kind, item, subject, takes_two, problem))
    return lines


def decide_each(lines: Iterable[DecisionLine], verb: Callable[[Any], object]) -> list[DecisionLine]:
    """Run the app's verb for the subject of each line without a problem; a refusal is that line's problem and stops no other."""
    decided = []
    for line in lines:
        if not line.problem:
            done = outcome_of(partial(verb, line.subject))
            line = replace(line, problem=done.message) if isinstance(done, Refusal) else replace(line, is_done=True)
        decided.append(line)
    return decided
