"""`kill -9` while a report comes in, is matched, while a difference is posted and a match undone: all of it happened or nothing.

Everything is done twice: with one PSP undisturbed, with another one killed again and again. Both end the same.
"""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from crm import approvals
from crm.choices import ApprovalState
from crm.errors import DomainError, WrongState
from crm.files.file_sweep import sweep_orphans
from tests.faults.killing import at_commit, at_step, in_the_middle_of_copy, killed_by
from tests.properties.test_reconciliation import told
from tests.wallet import recon
from tests.wallet.factories import make_psp
from wallet.choices.reconciliation import BreakState, PostingWay
from wallet.ledger.verification import verify
from wallet.models import Break, BreakPosting, Journal, Match, MatchGroup, SettlementImport, SettlementRow
from wallet.reconciliation import deciding, postings, rematch, settlement_import
from wallet.reconciliation.settlement_import import import_report

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
STEPS_MAX = 400
HEAD = (
    "record,batch,type,psp_reference,merchant_reference,original_reference,created_at,currency,gross,fee,net,method\n"
)


def counts() -> tuple[int, ...]:
    return tuple(
        model.objects.count() for model in (SettlementImport, SettlementRow, Match, MatchGroup, Break, Journal)
    )


def killed_all_over(work: Callable[[], Any], *, stride: int) -> int:
    """Kill `work` at every stride-th step, where nothing must have happened; at last when all was said and nobody told."""
    before = counts()
    assert killed_by(at_commit(after=False), work)
    assert counts() == before
    for kills, step in enumerate(itertools.count(1, stride), start=2):
        assert step < STEPS_MAX
        assert killed_by(lambda step=step: (at_commit(after=True)(), at_step(step)), work)
        if counts() != before:
            return kills
    raise AssertionError


def some_rows() -> list[tuple[str, str, int, int]]:
    """Type, our reference, gross, fee."""
    rows = [("payment", f"D-{number}", 10_000 + number, 215) for number in range(20)]
    return [*rows, ("payment", "D-77", 5_000, 100), ("payout", "W-1", -3_000, 0), ("payout", "W-1", -4_000, 0)]


def booked(psp: Any, client: Any) -> None:
    """What our books have: one deposit of another amount, one payout that is paid in parts, one deposit that is not there."""
    for number in range(20):
        recon.movement(psp, client, f"D-{number}", 10_000 + number + (100 if number == 7 else 0))
    recon.movement(psp, client, "W-1", -7_000, kind="payout")
    recon.movement(psp, client, "D-99", 4_000)


def content() -> bytes:
    lines, held = [HEAD, "opening,,,,,,2026-09-01,EUR,,,0.00,\n"], 0
    for number, (kind, ours, gross, fee) in enumerate(some_rows()):
        theirs = f"x-{number}" if kind == "payout" else f"p-{ours}"
        held += gross - fee
        amounts = ",".join(f"{minor / 100:.2f}" for minor in (gross, fee, gross - fee))
        lines.append(f"row,b1,{kind},{theirs},{ours},,2026-09-05T13:00:00Z,EUR,{amounts},visa\n")
    lines.append("row,b1,merchant_payout,po-1,,,2026-09-20T13:00:00Z,EUR,-1000.00,0.00,-1000.00,\n")
    lines.append(f"closing,,,,,,2026-09-30,EUR,,,{(held - 100_000) / 100:.2f},\n")
    return "".join(lines).encode()


@pytest.fixture
def psps(cast):
    found = [make_psp(cast.brand, code) for code in ("calm", "killed")]
    for psp in found:
        booked(psp, cast.client)
    return found


def holds(calm: Any, killed: Any) -> None:
    assert told(killed) == told(calm)
    assert verify().problems == []


def test_an_import_that_is_killed_leaves_nothing_and_the_same_file_is_imported_then(cast, psps):
    calm, killed = psps
    import_report(psp_id=calm.pk, file_name="september.csv", content=content(), actor=cast.finance)

    def work() -> None:
        import_report(psp_id=killed.pk, file_name="september.csv", content=content(), actor=cast.finance)

    before = counts()
    assert killed_by(in_the_middle_of_copy, work)
    assert counts() == before
    assert killed_all_over(work, stride=4) >= 12
    dropped = sweep_orphans(older_than_seconds=0, is_confirmed=True).removed["settlements"]
    assert dropped >= 7  # the originals that killed processes left; never those of reports
    with pytest.raises(DomainError, match="already imported"):
        work()
    holds(calm, killed)
    originals = [b"".join(settlement_import.original_of(one)) for one in SettlementImport.objects.all()]
    assert originals == [content()] * 2


def test_a_run_of_the_matching_that_is_killed_has_matched_nothing(cast, psps):
    calm, killed = psps
    for psp in psps:
        import_report(psp_id=psp.pk, file_name="september.csv", content=content(), actor=cast.finance)
        recon.movement(psp, cast.client, "D-77", 5_000)  # explains a row that was missing here
    rematch(calm.pk)
    assert killed_all_over(lambda: rematch(killed.pk), stride=3) >= 12
    rematch(killed.pk)
    assert not Break.objects.filter(psp=killed, row__merchant_reference="D-77", state="open").exists()
    holds(calm, killed)


def test_an_approval_and_an_undoing_that_are_killed_are_done_wholly_or_not_at_all(cast, psps):
    calm, killed = psps
    asked = []
    for psp in psps:
        import_report(psp_id=psp.pk, file_name="september.csv", content=content(), actor=cast.finance)
        one = Break.objects.get(psp=psp, kind="amount")
        asked.append(
            postings.propose(
                break_id=one.pk, way=PostingWay.FEE, business_on=recon.FIRST, reason="Fee", actor=cast.finance
            )
        )

    def approve(posting: Any) -> None:
        approvals.approve(BreakPosting, posting.pk, actor=cast.second_finance)

    approve(asked[0])
    assert killed_all_over(lambda: approve(asked[1]), stride=2) >= 12
    asked[1].refresh_from_db()
    assert (asked[1].state, asked[1].one.state) == (ApprovalState.APPROVED, BreakState.RESOLVED)
    with pytest.raises(WrongState):
        approve(asked[1])
    holds(calm, killed)

    groups = {group.psp_id: group for group in MatchGroup.objects.filter(rule="accepted")}

    def undo(psp: Any) -> None:
        line = Match.objects.filter(group=groups[psp.pk]).order_by("pk").first()
        deciding.undo(match_id=line.pk if line else 0, actor=cast.finance, reason="It was another payment")

    undo(calm)
    assert killed_all_over(lambda: undo(killed), stride=4) >= 12
    with pytest.raises(WrongState):
        undo(killed)
    assert Journal.objects.filter(reverses_id=groups[killed.pk].adjustment_id).count() == 1
    assert Break.objects.get(psp=killed, kind="amount", state="open").movement.reference == "D-7"
    holds(calm, killed)
