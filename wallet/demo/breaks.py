"""What finance has done so far about the breaks of the demo: owners, comments, a posting that waits, matches taken back."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from crm import approvals
from crm.choices import Role
from crm.demo import Demo
from crm.models import User
from crm.security import audit
from wallet.audit_codes import WalletAction
from wallet.choices.reconciliation import BreakState, Leg, PostingWay
from wallet.demo.seeded_breaks import Planted
from wallet.models import Break, BreakNote, BreakPosting, Match
from wallet.reconciliation import breaks, deciding, postings
from wallet.reconciliation.policies import can_resolve

# story: whose it is (first or second of finance), and what was said: by whom, how many days before today, what.
SAID: dict[str, tuple[int | None, tuple[tuple[int, int, str], ...]]] = {
    "stranger": (
        0,
        (
            (0, 4, "Not one of ours: neither reference nor amount. Asked Northpay who paid."),
            (0, 2, "They see a payment page of ours that was opened twice. Waiting for the card's last digits."),
        ),
    ),
    "waiting": (1, ((1, 9, "Northpay kept 1.00 for a check by the issuer: it is in their price list."),)),
    "taken-back": (0, ((0, 11, "Looks like a fee of 2.50 that was taken out of the amount."),)),
    "missing-there": (1, ((1, 7, "Northpay says: paid on the day, reported with the next batch."),)),
    "currency": (
        1,
        ((1, 5, "Booked in dollars there. The client's card is in dollars; their terminal should have kept euros."),),
    ),
    "chargeback": (0, ((0, 1, "No webhook came of it. Asked Northpay to send it again before we book it by hand."),)),
    "wrong-client": (0, ()),
    "long-missing": (1, ((1, 20, "SEPA Link looks for it."), (1, 6, "Reminded them; ticket 48121."))),
    "bank": (0, ((0, 3, "Northpay sent the proof of payment; the bank looks for it."),)),
}
ANSWER = (
    "sepalink-answer.txt",
    "long-missing",
    "Their answer.",
    b"""\
From: settlements@sepalink.example
Subject: Ticket 48121

The payment was settled with our batch of the following week. A corrected report follows.
""",
)


def write_breaks(demo: Demo) -> None:
    """By the verbs of the break's page; comments get the days on which they would have been written."""
    planted: Planted | None = demo.extra.get("wallet_planted")
    people = demo.by_role.get(Role.FINANCE.value, [])
    if planted is None or len(people) < 2:
        return
    found = {name: one for name in planted.stories if (one := _break_of(planted, name)) is not None}
    bank = Break.objects.filter(leg=Leg.BANK, state=BreakState.OPEN, row__isnull=False).order_by("-happened_at").first()
    if bank is not None:
        found["bank"] = bank
    found = {name: one for name, one in found.items() if all(can_resolve(person, one) for person in people[:2])}
    for name, (owner, said) in SAID.items():
        if name in found:
            spoken = [(people[who], days, words) for who, days, words in said]
            _look_after(demo, found[name], None if owner is None else people[owner], spoken)
    file_name, about, words, answer = ANSWER
    if about in found:
        breaks.comment(break_id=found[about].pk, actor=people[1], body=words, file_name=file_name, content=answer)
    _decide(demo, found, people)


def _break_of(planted: Planted, name: str) -> Break | None:
    reference = planted.stories[name]
    about = Q(row__psp_reference=reference) | Q(row__isnull=True, movement__psp_reference=reference)
    return Break.objects.filter(about, leg=Leg.PSP, state=BreakState.OPEN).order_by("pk").last()


def _look_after(demo: Demo, one: Break, owner: User | None, said: list[tuple[User, int, str]]) -> None:
    if owner is not None:
        breaks.assign_breaks(break_ids=[one.pk], owner_id=owner.pk, actor=owner)
    for author, days, words in said:
        at = max(demo.now - dt.timedelta(days=days, hours=3), one.opened_at)
        BreakNote.objects.create(one=one, author=author, at=at, body=words)
        audit.record_many(
            [
                {
                    "actor": author,
                    "action": WalletAction.BREAK_COMMENTED,
                    "target": one,
                    "brand_id": one.brand_id,
                    "client_id": one.client_id,
                    "after": {"body": words},
                    "at": at,
                }
            ]
        )


def _decide(demo: Demo, found: dict[str, Break], people: list[User]) -> None:
    """One posting waits for the second person, one was posted and its match taken back, one break was resolved in words."""
    today = demo.now.astimezone(dt.UTC).date()
    if "waiting" in found:
        postings.propose(
            break_id=found["waiting"].pk,
            way=PostingWay.FEE,
            business_on=today,
            actor=people[1],
            reason="Check of the issuer, as in Northpay's price list",
        )
    if "taken-back" in found:
        one = found["taken-back"]
        posting = postings.propose(
            break_id=one.pk,
            way=PostingWay.FEE,
            business_on=today,
            reason="Fee taken out of the amount",
            actor=people[0],
        )
        posted = approvals.approve(BreakPosting, posting.pk, actor=people[1], note="As with the others of this card")
        line = Match.objects.filter(group=posted.group).order_by("pk").first()
        if line is not None:
            deciding.undo(
                match_id=line.pk, actor=people[1], reason="Northpay gave the fee back: it was another payment's"
            )
        again = Break.objects.filter(row=one.row_id, leg=Leg.PSP, state=BreakState.OPEN)
        breaks.assign_breaks(break_ids=again.values_list("pk", flat=True), owner_id=people[0].pk, actor=people[1])
    if "test" in found:
        breaks.resolve_break(
            break_id=found["test"].pk, actor=people[1], resolution="Northpay's own test payment; they take it back"
        )
