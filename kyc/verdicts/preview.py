"""What another policy would have decided on the last documents: from the check results that are stored, nothing is read again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import F

from crm.models import Brand
from kyc.choices import Outcome, RunState
from kyc.models import CheckRun
from kyc.verdicts.reaching import judge, stored_results
from kyc.verdicts.rules import Rules

DOCUMENTS_MAX = 1_000
SHOWN_MAX = 12


@dataclass(frozen=True)
class Difference:
    """One document that would be decided otherwise."""

    document_id: int
    title: str
    before: Outcome
    after: Outcome


@dataclass
class Preview:
    """How many documents get which outcome under both policies, and the newest of those that differ."""

    documents: int = 0
    before: Counter[Outcome] = field(default_factory=Counter)
    after: Counter[Outcome] = field(default_factory=Counter)
    moves: Counter[tuple[Outcome, Outcome]] = field(default_factory=Counter)
    examples: list[Difference] = field(default_factory=list)

    @property
    def changed(self) -> int:
        return sum(self.moves.values())

    @property
    def rows(self) -> list[tuple[str, int, int]]:
        """Return each outcome with its counts before and after."""
        return [(str(outcome.label), self.before[outcome], self.after[outcome]) for outcome in Outcome]

    @property
    def move_rows(self) -> list[tuple[str, str, int]]:
        """Return from which outcome to which how many documents move, the most first."""
        return [(str(old.label), str(new.label), count) for (old, new), count in self.moves.most_common()]


def preview(brand: Brand, before: Rules, after: Rules, *, limit: int = DOCUMENTS_MAX) -> Preview:
    """Judge a brand's last checked documents by both policies. One query; the other side and earlier requests aren't asked."""
    shown = Preview()
    done = CheckRun.objects.filter(state=RunState.DONE, document__client__brand=brand, correction=None).exclude(
        results=[]
    )
    rows = done.annotate(risk=F("document__client__risk_rating")).select_related("document").order_by("-pk")
    for run in rows.only("results", "document__kind", "document__side")[:limit]:
        document, results = run.document, stored_results(run)
        old, new = (
            judge(rules, kind=document.kind, side=document.side, results=results, risk=run.risk).outcome
            for rules in (before, after)
        )
        shown.documents += 1
        shown.before[old] += 1
        shown.after[new] += 1
        if old != new:
            shown.moves[old, new] += 1
            if len(shown.examples) < SHOWN_MAX:
                shown.examples.append(Difference(document.pk, document.title, old, new))
    return shown
