"""What breaks say is kept as codes: every reader has it in their own language; the words of people stay as they are."""

import pytest

from tests.wallet import recon
from tests.wallet.factories import make_psp
from wallet.choices.break_details import DETAILS, RESOLUTIONS, money, say_detail, say_resolution
from wallet.choices.reconciliation import BreakState, Detail, Resolved
from wallet.models import Break, BreakPosting, MatchGroup
from wallet.reconciliation import rematch

VALUES = {
    "action": 5,
    "ticket": 77,
    "login": "100201",
    "reference": "T-1",
    "money": money(-1_250, "EUR"),
    "journal": 9,
    "kind": "transfer",
    "seconds": 61,
    "day": "2026-11-01",
    "currency": "JPY",
    "there": money(1_200, "JPY"),
    "here": money(1_234_567, "KWD"),
    "way": "fx",
    "name": "november.csv",
}


def test_every_code_has_its_sentence():
    assert set(DETAILS) == set(Detail.values)
    assert set(RESOLUTIONS) == set(Resolved.values) - {Resolved.ITSELF}
    for code in DETAILS:
        assert "%(" not in say_detail(code, VALUES)
    for code in RESOLUTIONS:
        assert "%(" not in say_resolution(code, VALUES)


def test_amounts_have_the_decimals_of_their_currency():
    said = say_detail(Detail.OTHER_AMOUNT, VALUES)
    assert "−€12.50" in said and "KWD\xa01,234.567" in said


def test_words_of_people_stay_as_they_wrote_them():
    said = {"detail": "Kein Satz von uns", "resolution": "Dealer's gift"}
    one = Break(subject="T-1", detail_code="", resolution_code="", state=BreakState.RESOLVED, **said)
    assert (one.explanation, one.how_resolved) == ("Kein Satz von uns", "Dealer's gift")


@pytest.mark.django_db
def test_a_group_that_is_judged_anew_and_a_posting_that_falls_with_its_break_say_so_without_words_of_a_run(cast):
    psp = make_psp(cast.brand, "northpay")
    recon.movement(psp, cast.client, "W-1", -10_000, kind="payout")
    parts = [
        recon.row("W-1", minor, psp_reference=name, type="payout") for name, minor in (("a", -3_000), ("b", -7_000))
    ]
    recon.report(psp, parts, last=15)
    recon.report(psp, [recon.row("W-1", -500, psp_reference="c", type="payout", day=16)], first=16)
    group = MatchGroup.objects.get()
    assert (group.undone_reason, group.undone_why) == ("judged_anew", "Reassessed with a later file")

    from wallet.reconciliation import postings

    one = Break.objects.filter(row__psp_reference="c").get()
    posting = postings.propose(
        break_id=one.pk, way="suspense", business_on=recon.FIRST, reason="Unknown", actor=cast.finance
    )
    recon.movement(psp, cast.client, "W-2", -500, psp_reference="c", kind="payout")
    rematch(psp.pk)
    posting = BreakPosting.objects.get(pk=posting.pk)
    assert (posting.decision_note, posting.note_words) == ("closed_itself", "The break was closed automatically.")
