"""What breaks say is kept as codes: every reader has it in their own language, and what older runs wrote is understood."""

from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from crm.money.amounts import Money
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
MIGRATION = import_module("wallet.migrations.0042_what_breaks_say_in_codes")


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


@pytest.mark.parametrize("code", Detail.values)
def test_what_older_runs_wrote_is_understood(code):
    values = {**VALUES, "day": "2026-11-01"}
    if code == Detail.OTHER_CURRENCY:
        values |= {"there": "EUR", "here": "USD"}
    text = DETAILS[code]() % {
        name: Money.of_minor(**value) if isinstance(value, dict) else value for name, value in values.items()
    }
    known, found = MIGRATION.found_in(MIGRATION.PATTERNS, text)
    assert known == code
    assert found == {name: str(values[name]) if name == "action" else values[name] for name in found}


@pytest.mark.django_db
def test_the_migration_says_in_codes_what_was_written_and_leaves_the_words_of_people(cast):
    psp = make_psp(cast.brand, "northpay")

    def old(subject, detail, resolution, **more):
        return Break.objects.create(
            brand=cast.brand,
            leg="platform",
            kind="timing",
            subject=subject,
            detail=detail,
            resolution=resolution,
            currency="EUR",
            difference_minor=1,
            happened_at=timezone.now(),
            opened_at=timezone.now(),
            resolved_at=timezone.now(),
            state=BreakState.RESOLVED,
            **more,
        )

    cut_off = "T-1: #77 and its journal stand in different months, 61 seconds apart"
    rows = [
        old("a", cut_off, cut_off),
        old("b", "#78 on 100201 has no movement in the ledger: 9.00 ", "No longer found by the run over 2026-11-01"),
        old("c", "Kein Satz von uns", "Dealer's gift", resolved_by=cast.finance),
        old("d", "x", "Posted: A fee of the PSP", resolved_by=cast.finance),
        old("e", "x", "Explained by the report “november.csv”", psp=psp),
    ]
    MIGRATION.say_in_codes(apps, None)
    for row in rows:
        row.refresh_from_db()
    assert [(row.detail_code, row.detail, row.resolution_code, row.resolution) for row in rows] == [
        ("cut_off", "", "itself", ""),
        ("no_movement", "", "not_found", ""),
        ("", "Kein Satz von uns", "", "Dealer's gift"),
        ("", "x", "posted", ""),
        ("", "x", "by_report", ""),
    ]
    assert rows[0].explanation == rows[0].how_resolved == cut_off
    assert rows[1].explanation == "#78 on 100201 has no movement in the ledger: 9.00"
    assert rows[3].how_resolved == "Posted: A fee of the PSP"
    assert rows[4].how_resolved == "Explained by the report “november.csv”"


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
    assert (group.undone_reason, group.undone_why) == ("judged_anew", "Judged anew with a later file")

    from wallet.reconciliation import postings

    one = Break.objects.filter(row__psp_reference="c").get()
    posting = postings.propose(
        break_id=one.pk, way="suspense", business_on=recon.FIRST, reason="Unknown", actor=cast.finance
    )
    recon.movement(psp, cast.client, "W-2", -500, psp_reference="c", kind="payout")
    rematch(psp.pk)
    posting = BreakPosting.objects.get(pk=posting.pk)
    assert (posting.decision_note, posting.note_words) == ("closed_itself", "The break closed itself.")
