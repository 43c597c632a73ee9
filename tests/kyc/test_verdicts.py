"""Verdicts of the checks, and what the shipped policy makes of them: forgeries, silence, sides without a zone."""

import datetime as dt
import json
import random
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import ImageDraw

from bench import kyc as bench
from bench.submissions import bad
from kyc import dates, mrz, specimens
from kyc.choices import Outcome, Verdict
from kyc.examination import states
from kyc.examination.decision import REQUIRED
from kyc.examination.sheet import Sheet, Subject
from kyc.examination.trial import decide_together, try_sheet

TODAY = dt.date(2026, 11, 24)
HOLDER = specimens.Holder(
    "Clara",
    "Bergmann",
    dt.date(1990, 5, 17),
    "F",
    "C01X00T47",
    dt.date(2031, 4, 15),
    "D",
    "D",
    specimens.Style("TEST", "DEUTSCH", specimens.ENGLISH),
)
SUBJECT = Subject(0, 0, "Clara", "Bergmann", HOLDER.birth_date, "", "", "", nationality="DE")


def tried(*pages, subject=SUBJECT, **fields):
    sheets = [
        Sheet(0, "passport", "front", subject, [np.array(page.convert("RGB"))], TODAY, **fields) for page in pages
    ]
    trials = [try_sheet(sheet) for sheet in sheets]
    decision = decide_together(trials)
    results = [result for trial in trials for result in trial.results]
    return decision.outcome, {(result.check, str(result.code)) for result in results if result.is_issue}, results


def forged(**fields):
    return specimens.passport(HOLDER, lines=specimens.mrz_lines(replace(HOLDER, **fields)))


def with_line(change):
    first, second = specimens.mrz_lines(HOLDER)
    second = change(second)
    return specimens.passport(
        HOLDER, lines=(first, second[:43] + mrz.check_digit(second[:10] + second[13:20] + second[21:43]))
    )


def test_a_good_passport_passes_every_required_check_and_would_be_approved():
    outcome, issues, results = tried(specimens.passport(HOLDER))
    assert (outcome, issues) == (Outcome.APPROVE, set())
    ran = {result.check for result in results if result.verdict == Verdict.PASS}
    assert ran >= set(REQUIRED[("passport", "front")]) - {"duplicates"}


def test_both_sides_of_a_card_would_be_approved_and_one_is_not_enough():
    front, back = specimens.id_card(HOLDER)
    assert tried(front, back)[0] == Outcome.APPROVE
    assert tried(front)[0] == tried(back)[0] == Outcome.ASK


def test_sides_of_two_cards_do_not_belong_together():
    front, _back = specimens.id_card(HOLDER)
    _front, back = specimens.id_card(replace(HOLDER, number="H55X71T42"))
    outcome, issues, _results = tried(front, back)
    assert outcome == Outcome.QUEUE and ("sides", "PRINT_MISMATCH") in issues


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"birth_date": dt.date(1988, 5, 17)}, "printed_birth"),
        ({"number": "C01X00T48"}, "printed_number"),
        ({"expires_on": dt.date(2034, 4, 15)}, "printed_expiry"),
        ({"last_name": "Featherstone"}, "printed_name"),
        ({"first_name": "Gwendolyn"}, "printed_name"),
        ({"sex": "M"}, "printed_sex"),
        ({"nationality": "FRA"}, "printed_nationality"),
        ({"nationality": "FRA", "country": "FRA"}, "printed_nationality"),
    ],
)
def test_a_forged_zone_with_new_digits_is_caught_by_the_print(change, check):
    """The registration follows the forged zone: only the print contradicts it."""
    fields = {"first_name": "first_name", "last_name": "last_name", "birth_date": "birth_date"}
    subject = replace(SUBJECT, **{fields[name]: value for name, value in change.items() if name in fields})
    if "nationality" in change:
        subject = replace(subject, nationality="FR")
    outcome, issues, _results = tried(forged(**change), subject=subject)
    assert outcome == Outcome.QUEUE and (check, "PRINT_MISMATCH") in issues


def test_a_thumb_over_name_and_birth_is_caught():
    page = specimens.passport(HOLDER)
    ImageDraw.Draw(page).rounded_rectangle((440, 190, 1240, 500), radius=120, fill="#d8a98a")
    outcome, issues, _results = tried(page)
    assert outcome != Outcome.APPROVE
    assert {check for check, _code in issues} >= {"printed_name", "printed_birth"}


def test_a_missing_upper_third_is_caught():
    outcome, issues, _results = tried(specimens.passport(HOLDER).crop((0, 300, 1250, 880)))
    assert outcome != Outcome.APPROVE and "printed_number" in {check for check, _code in issues}


def test_another_persons_licence_and_an_expired_front_are_caught():
    theirs = replace(HOLDER, first_name="Gwendolyn", last_name="Featherstone", birth_date=dt.date(1971, 2, 3))
    _outcome, issues, _results = tried(specimens.driving_licence(theirs))
    assert {("name", "NAME_MISMATCH"), ("birth", "DOB_MISMATCH")} <= issues
    _outcome, issues, _results = tried(specimens.driving_licence(HOLDER))
    assert not {check for check, _code in issues} & {"name", "birth", "expiry", "kind"}
    expired = specimens.id_card(replace(HOLDER, expires_on=dt.date(2026, 11, 23)))[0]
    outcome, issues, _results = tried(expired)
    assert outcome == Outcome.ASK and ("expiry", "EXPIRED") in issues


def test_open_and_impossible_dates_are_unclear():
    _outcome, issues, _results = tried(with_line(lambda line: line[:21] + "<<<<<<0" + line[28:]))
    assert ("expiry", "NO_EXPIRY") in issues
    unknown = "870000" + mrz.check_digit("870000")
    outcome, issues, _results = tried(with_line(lambda line: line[:13] + unknown + line[20:]))
    assert outcome == Outcome.QUEUE and ("birth", "DATE_INCOMPLETE") in issues


@pytest.mark.parametrize("digit", range(1, 10))
def test_a_wrong_composite_digit_is_never_repaired_away(digit):
    first, second = specimens.mrz_lines(HOLDER)
    zone = mrz.parse((first, second[:43] + str((int(second[43]) + digit) % 10)), today=TODAY)
    assert mrz.repaired(zone, today=TODAY) is zone


@pytest.mark.parametrize(("selected", "is_issue"), [("FR", True), ("DE", False), ("", False)])
def test_another_country_than_the_selected_one_is_unclear(selected, is_issue):
    outcome, issues, _results = tried(specimens.passport(HOLDER), declared_country=selected)
    assert (("state", "COUNTRY_MISMATCH") in issues, outcome == Outcome.QUEUE) == (is_issue, is_issue)


@pytest.mark.parametrize("state", ["XQZ", "UTO"])
def test_a_state_that_does_not_exist_is_no_issuer(state):
    page = specimens.passport(replace(HOLDER, country=state, nationality=state))
    outcome, issues, _results = tried(page)
    assert outcome == Outcome.QUEUE
    assert ("state", "SPECIMEN" if state == "UTO" else "UNKNOWN_STATE") in issues
    if state == "UTO":
        assert not {check for check, _code in tried(page, accepts_specimens=True)[1]} & {"state", "nationality"}


def test_states_of_doc_9303():
    assert all(states.exists(code) for code in ("D", "FRA", "GBN", "RKS", "XXB", "UNO", "EUE"))
    assert not any(states.exists(code) for code in ("XQZ", "UTO", "DE", "", "ZZZ"))
    assert (states.alpha2_of("D"), states.alpha2_of("GBN"), states.alpha2_of("XXB")) == ("DE", "GB", "")


@pytest.mark.parametrize(
    ("blank", "check"),
    [({"birth_date": None}, "birth"), ({"last_name": ""}, "name"), ({"nationality": ""}, "nationality")],
)
def test_a_blank_registration_is_unclear(blank, check):
    outcome, issues, _results = tried(specimens.passport(HOLDER), subject=replace(SUBJECT, **blank))
    assert outcome == Outcome.QUEUE and (check, "NOT_REGISTERED") in issues


def test_what_is_no_document_is_asked_for_again_and_nothing_passes_in_silence():
    page = specimens.passport(HOLDER).crop((900, 120, 1240, 180)).resize((1200, 800))
    outcome, issues, results = tried(page)
    assert outcome != Outcome.APPROVE and ("zone", "NO_MRZ") in issues
    assert not {result.check for result in results if result.verdict == Verdict.PASS} & {
        "name",
        "birth",
        "expiry",
        "age",
    }


def test_sex_and_nationality_are_compared_where_they_are_registered():
    page = specimens.passport(HOLDER)
    assert ("sex", "SEX_MISMATCH") in tried(page, subject=replace(SUBJECT, sex="M"))[1]
    assert ("nationality", "NATIONALITY_MISMATCH") in tried(page, subject=replace(SUBJECT, nationality="FR"))[1]


@pytest.mark.parametrize(
    "text",
    [
        "DATE OF BIRTH 17.05.1990 SEX",
        "17 05 1990",
        "17 05 90",
        "17 MAY 1990",
        "17 MAI/MAY 90",
        "1990-05-17",
        "I7.O5.I99O",
        "17/05/1990",
        "1705 1990",
        "BIRTH 17 MAY 1990 DATE",
    ],
)
def test_a_printed_date_is_recognised_in_any_spelling(text):
    assert any(found.is_day(dt.date(1990, 5, 17)) for found in dates.printed_dates(text))
    assert not any(found.is_day(dt.date(1990, 5, 18)) for found in dates.printed_dates(text))


def checked(*arguments):
    out = StringIO()
    call_command("kyc_check", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_kyc_check_prints_each_verdict_and_the_decision(tmp_path):
    file = tmp_path / "passport.jpg"
    specimens.passport(HOLDER).save(file)
    told = checked(str(file), "--name", "Clara Bergmann", "--born", "1990-05-17", "--sex", "F", "--nationality", "DEU")
    assert told["decision"]["outcome"] == "approve"
    verdicts = {row["check"]: row["verdict"] for row in told["files"][0]["checks"]}
    assert verdicts["printed_number"] == "pass" and told["files"][0]["fields"]["number"] == "C01X00T47"
    other = checked(str(file), "--name", "Clara Bergman Schmidt", "--born", "1990-05-18")
    assert other["decision"]["outcome"] == "queue"
    assert {row["code"] for row in other["decision"]["reasons"]} >= {"DOB_MISMATCH", "NOT_REGISTERED"}


def test_kyc_check_explains_a_file_it_cannot_open(tmp_path):
    file = tmp_path / "cat.jpg"
    file.write_bytes(b"meow" * 100)
    told = checked(str(file), "--name", "Clara Bergmann", "--born", "1990-05-17")
    assert told["decision"]["outcome"] == "ask" and "JPEG" in told["decision"]["request"]
    with pytest.raises(CommandError, match="No such file"):
        checked(str(tmp_path / "none.jpg"), "--name", "C B", "--born", "1990-05-17")
    with pytest.raises(CommandError, match="1990-05-17"):
        checked(str(file), "--name", "C B", "--born", "17.05.1990")


def test_the_bench_judges_a_bad_submission():
    submission = bad.KINDS["expired card front"](random.Random(3))
    outcome, codes, seconds = bench.judge(submission)
    assert outcome != Outcome.APPROVE and "EXPIRED" in codes and len(seconds) == 1
