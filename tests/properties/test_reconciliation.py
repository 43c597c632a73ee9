"""For any truth and any order of the files: the same matches, the same breaks, and every cent of both sides explained."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.examples import examples
from tests.wallet import recon
from wallet.choices.reconciliation import BREAKS_OF_A_MOVEMENT
from wallet.ledger import posting
from wallet.models import Break, Match, MatchGroup, SettlementRow

FILES = 3
QUICK = settings(
    max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
KINDS = st.sampled_from(["payment", "payout", "refund"])


@dataclasses.dataclass(frozen=True)
class Fact:
    """A movement, a row, or both; few references and amounts, so that they meet by chance. `file` has the row."""

    here: bool
    there: bool
    kind: str
    ours: int
    theirs: int
    amount: int
    off: int
    fee: int
    file: int
    copies: int
    currency: str


FACTS = st.lists(
    st.builds(
        Fact,
        here=st.booleans(),
        there=st.booleans(),
        kind=KINDS,
        ours=st.integers(0, 4),
        theirs=st.integers(0, 6),
        amount=st.sampled_from([1_000, 2_000, 3_000]),
        off=st.sampled_from([0, 0, 0, 0, 1, -1_000]),
        fee=st.sampled_from([0, 20, 30]),
        file=st.integers(0, FILES - 1),
        copies=st.sampled_from([1, 1, 1, 2]),
        currency=st.sampled_from(["EUR", "EUR", "EUR", "USD"]),
    ),
    min_size=1,
    max_size=14,
)


def written(facts: list[Fact], order: list[int], code: str) -> tuple[Any, dict[str, Any]]:
    """Book the movements, import the files in that order, and say what came of it in words without ids."""
    psp, client = recon.world(code)
    taken = set()
    files: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for number, fact in enumerate(facts):
        sign = 1 if fact.kind == "payment" else -1
        theirs = f"P{fact.theirs}" if fact.theirs else ""
        if fact.here and (theirs, fact.kind) not in taken:
            taken.add((theirs, fact.kind))
            recon.movement(
                psp,
                client,
                f"D-{fact.ours}",
                sign * fact.amount,
                psp_reference=theirs,
                kind=fact.kind,
                currency=fact.currency,
                day=1 + number % 28,
            )
        if fact.there:
            line = recon.row(
                f"D-{fact.ours}" if fact.ours else "",
                sign * (fact.amount + fact.off),
                psp_reference=theirs,
                type=fact.kind,
                fee=fact.fee,
                currency=fact.currency,
                day=1 + (number + fact.off) % 28,
            )
            files[fact.file] += [line] * fact.copies
    for place in order:
        recon.report(psp, files[place], name=f"{place}.csv")
    return psp, told(psp)


def told(psp: Any) -> dict[str, Any]:
    def say(row: SettlementRow | None, movement: Any) -> tuple:
        there = row and (
            row.type,
            row.psp_reference,
            row.merchant_reference,
            row.currency,
            row.gross_minor,
            row.fee_minor,
            row.booked_at,
        )
        here = movement and (movement.kind, movement.psp_reference, movement.reference, movement.amount_minor)
        return there, here

    matches = Match.objects.filter(group=None, row__report__psp=psp).select_related("row", "movement")
    groups = []
    for group in MatchGroup.objects.filter(psp=psp, undone_at=None).prefetch_related("lines__row", "lines__movement"):
        groups.append((group.rule, frozenset(Counter(say(one.row, one.movement) for one in group.lines.all()).items())))
    breaks = Break.objects.filter(psp=psp, state="open").select_related("row", "movement")
    clearing = posting.psp_clearing(psp, "EUR")
    return {
        "matches": Counter((one.rule, *say(one.row, one.movement)) for one in matches),
        "groups": Counter(groups),
        "breaks": Counter((one.kind, one.difference_minor, *say(one.row, one.movement)) for one in breaks),
        "held": posting.balance(clearing),
    }


def explained(psp: Any) -> None:
    """Every row and every movement stands in exactly one place, and differences are what the breaks say."""
    rows = set(SettlementRow.objects.filter(report__psp=psp, is_repeat=False).values_list("pk", flat=True))
    movements = set(psp.movements.values_list("pk", flat=True))
    matched = Match.objects.filter(row__in=rows) | Match.objects.filter(movement__in=movements)
    open_breaks = Break.objects.filter(psp=psp, state="open").exclude(kind="fee")
    row_places = Counter(pk for pk in matched.values_list("row", flat=True) if pk)
    row_places.update(pk for pk in open_breaks.values_list("row", flat=True) if pk)
    assert row_places == Counter(rows)
    places = Counter(pk for pk in matched.values_list("movement", flat=True) if pk)
    places.update(
        pk for pk in open_breaks.filter(kind__in=BREAKS_OF_A_MOVEMENT).values_list("movement", flat=True) if pk
    )
    assert places == Counter(movements)
    sums: dict[str, int] = defaultdict(int)
    for row in SettlementRow.objects.filter(pk__in=rows):
        sums[row.currency] += row.gross_minor
    for movement in psp.movements.all():
        sums[movement.currency] -= movement.amount_minor
    for one in open_breaks.select_related("movement"):
        sums[one.currency] -= one.difference_minor
        if one.kind == "currency":
            sums[one.movement.currency] += one.movement.amount_minor
    assert not any(sums.values()), dict(sums)


class AnyOrder(TestCase):
    @QUICK
    @given(facts=FACTS, order=st.permutations(range(FILES)))
    def test_the_order_of_the_files_changes_nothing_and_both_sides_are_explained_to_the_cent(self, facts, order):
        with transaction.atomic():
            psp, first = written(facts, list(range(FILES)), "one")
            explained(psp)
            other_psp, second = written(facts, order, "two")
            explained(other_psp)
            transaction.set_rollback(True)
        assert first == second
