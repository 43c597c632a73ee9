"""Every limit of documents: just below, exactly there, just above."""

import datetime as dt
import io
from types import SimpleNamespace

import numpy as np
import pytest
import time_machine

from clients.identifiers.keeping import number_fingerprint
from clients.models import Client
from crm import due, work
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, WorkItem
from crm.security import audit
from kyc import dates, documents, incoming, intake, mrz, panels, pipeline, reviews, specimens, tables
from kyc.choices import IncomingState
from kyc.examination import address, duplicates, identity, legibility
from kyc.examination import zone as zone_check
from kyc.examination.sheet import Sheet, Subject
from kyc.expiry import validity
from kyc.fingerprints import bands_of
from kyc.levels import reaching as levels
from kyc.models import CheckRun, Document, IncomingFile
from kyc.mrz_zone import EDGE, Reading
from tests.kyc.factories import registered

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
TODAY = NOW.date()
SECOND, MINUTE, DAY = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(days=1)
BORN = dt.date(1990, 5, 17)
_keys = iter(range(1, 1_000_000))


def a_document(client, **fields) -> Document:
    """A row without a file: for rules that never open one."""
    number = next(_keys)
    values = {
        "kind": "passport",
        "state": "pending_review",
        "uploaded_at": NOW,
        "store_key": f"limits/{number}",
        "file_name": "passport.jpg",
        "content_type": "image/jpeg",
        "size_bytes": 1,
        "sha256": f"{number:064d}",
        "stored_sha256": f"{number:064d}",
        **fields,
    }
    if values["state"] == "pending_review":
        values["work"] = work.open_item(
            reviews.REVIEW, client_id=client.pk, brand=client.brand, opened_at=values["uploaded_at"]
        )
    return Document.objects.create(client=client, **values)


def decided(cast, client=None, **fields) -> Document:
    values = {"state": "approved", "reviewed_by": cast.kyc_officer, "reviewed_at": NOW, **fields}
    return a_document(client or cast.client, **values)


def held(cast, until: dt.datetime, **fields) -> Document:
    document = a_document(cast.client, **fields)
    begun = min(NOW, until - SECOND)
    WorkItem.objects.filter(pk=document.work_id).update(
        claimed_by=cast.kyc_officer, claimed_at=begun, claimed_until=until
    )
    document.work.refresh_from_db()
    return document


# ── expiry and age ───────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("by", "is_expired"), [(-DAY, True), (0 * DAY, False), (DAY, False)])
@time_machine.travel(NOW, tick=False)
def test_a_document_holds_on_its_last_day(cast, by, is_expired):
    document = decided(cast, expires_on=TODAY + by, settled_at=NOW)
    of_another = decided(cast, client=cast.other_client, expires_on=TODAY + DAY, settled_at=NOW)
    validity.schedule_expiry([document, of_another])
    assert due.sweep(kinds=[validity.EXPIRY]) == is_expired
    document.refresh_from_db()
    of_another.refresh_from_db()
    assert (document.state == "expired", of_another.state) == (is_expired, "approved")


def test_a_decision_that_did_not_take_effect_does_not_expire(cast):
    document = decided(cast, expires_on=TODAY - DAY)
    validity.schedule_expiry([document])
    due.sweep(kinds=[validity.EXPIRY])
    document.refresh_from_db()
    assert document.state == "approved"


@pytest.mark.parametrize(("by", "is_possible"), [(-DAY, False), (0 * DAY, True), (DAY, True)])
@time_machine.travel(NOW, tick=False)
def test_a_document_is_approved_on_its_last_day(cast, by, is_possible):
    document = held(cast, NOW + MINUTE)
    if is_possible:
        reviews.approve(document_id=document.pk, actor=cast.kyc_officer, expires_on=TODAY + by)
    else:
        with pytest.raises(DomainError, match="expired on"):
            reviews.approve(document_id=document.pk, actor=cast.kyc_officer, expires_on=TODAY + by)
    document.refresh_from_db()
    assert (document.state == "approved") is is_possible


def zone(*, born: dt.date = BORN, expires_on: dt.date = dt.date(2033, 4, 15), first="Clara", last="Weber") -> Reading:
    lines = specimens.mrz_lines(specimens.Holder(first, last, born, number="C01X00T47", expires_on=expires_on))
    return Reading(mrz.parse(lines, today=TODAY), (0.1, 0.8, 0.8, 0.15), True, "mrz")


def sheet(reading: Reading | None = None, **fields) -> Sheet:
    subject = Subject(1, 1, "Clara", "Weber", BORN, "Lindenstraße 12", "10969", "Berlin")
    page = np.zeros((600, 900, 3), dtype=np.uint8)
    values = {
        "document_id": 1,
        "kind": "passport",
        "side": "front",
        "subject": subject,
        "pages": [page],
        "today": TODAY,
    }
    return Sheet(**{**values, **fields}, zone=reading)


def codes(reading: Reading, **fields) -> set[str]:
    paper = sheet(reading, **fields)
    zone_check._note(paper)
    checks = (identity.kind, identity.name, identity.birth, identity.age, identity.expiry)
    return {str(result.code) for check in checks for result in check(paper) if result.code}


@pytest.mark.parametrize(
    ("by", "code"),
    [
        (-DAY, {"EXPIRED"}),
        (0 * DAY, {"EXPIRES_SOON"}),
        (59 * DAY, {"EXPIRES_SOON"}),
        (60 * DAY, set()),
        (61 * DAY, set()),
    ],
)
def test_a_passport_expires_soon_within_sixty_days(by, code):
    assert codes(zone(expires_on=TODAY + by)) == code


@pytest.mark.parametrize(
    ("born", "age", "is_under"),
    [
        (dt.date(2008, 11, 24), 18, True),
        (dt.date(2008, 11, 23), 18, False),
        (dt.date(2008, 11, 22), 18, False),
        (dt.date(2005, 11, 24), 21, True),
        (dt.date(2005, 11, 23), 21, False),
    ],
)
def test_of_age_on_the_birthday_itself(born, age, is_under):
    subject = Subject(1, 1, "Clara", "Weber", born, "", "", "")
    assert ("UNDERAGE" in codes(zone(born=born), subject=subject, age_min_years=age)) is is_under


@pytest.mark.parametrize(
    ("claimed", "score"), [(BORN, None), (dt.date(1990, 5, 18), 0.95), (dt.date(1990, 5, 16), 0.95), (None, None)]
)
def test_another_birthday_is_named(claimed, score):
    subject = Subject(1, 1, "Clara", "Weber", claimed, "", "", "")
    found = [row for row in identity.birth(sheet(zone(), subject=subject)) if row.code == "DOB_MISMATCH"]
    assert [row.score for row in found] == ([] if score is None else [score])


def test_day_and_month_swapped_weigh_less():
    born = dt.date(1990, 5, 7)
    subject = Subject(1, 1, "Clara", "Weber", dt.date(1990, 7, 5), "", "", "")
    (found,) = [row for row in identity.birth(sheet(zone(born=born), subject=subject)) if row.code == "DOB_MISMATCH"]
    assert (found.score, found.found, found.expected) == (0.6, "1990-05-07", "1990-07-05")


@pytest.mark.parametrize(("text", "day"), [("261123", TODAY), ("261124", dt.date(1926, 11, 24)), ("261131", None)])
def test_a_birth_in_a_zone_is_never_in_the_future(text, day):
    assert mrz._date(text, latest=TODAY) == day


# ── proof of address ─────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("age", "is_old"), [(0, False), (91, False), (92, False), (93, True)])
def test_a_bill_counts_for_92_days(monkeypatch, age, is_old):
    issued_on = TODAY - age * DAY
    monkeypatch.setattr(address, "issue_date", lambda _sheet, _pages: (issued_on, 1, (0.0, 0.0, 1.0, 1.0)))
    paper = sheet(kind="proof_of_address")
    assert [str(result.code) for result in address._date(paper, []) if result.is_issue] == (
        ["POA_TOO_OLD"] if is_old else []
    )
    assert paper.issued_on == issued_on


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1.2.2026", [dt.date(2026, 2, 1)]),
        ("13.2.2026", [dt.date(2026, 2, 13)]),
        ("2/13/2026", [dt.date(2026, 2, 13)]),
        ("32.1.2026", []),
        ("29.2.2028", [dt.date(2028, 2, 29)]),
        ("29.2.2027", []),
        ("1.2.99", [dt.date(2099, 2, 1)]),
        ("2026-12-31", [dt.date(2026, 12, 31)]),
        ("2026-13-01", []),
        ("3 marz 2026", [dt.date(2026, 3, 3)]),
        ("march 3, 2026", [dt.date(2026, 3, 3)]),
        ("3 nonsense 2026", []),
    ],
)
def test_dates_as_bills_write_them(text, found):
    assert dates.dates_in(text) == found


@pytest.mark.parametrize(("bits", "is_known"), [(13, True), (14, True), (15, False)])
def test_pictures_are_the_same_up_to_fourteen_bits(cast, bits, is_known):
    paper = sheet(subject=Subject(cast.client.pk, cast.brand.pk, "Clara", "Weber", BORN, "", "", ""))
    list(duplicates.check(paper))
    assert paper.phash is not None
    near = (int.from_bytes(paper.phash, "big") ^ ((1 << bits) - 1)).to_bytes(128, "big")
    a_document(cast.other_client, phash=near, phash_bands=bands_of(near))
    found = [row.found for row in duplicates.check(paper) if row.code == "IMAGE_DUPLICATE"]
    assert found == ([f"#{cast.other_client.pk}"] if is_known else [])


@pytest.mark.parametrize(
    ("fields", "is_known"),
    [
        ({}, True),
        ({"state": "replaced"}, False),
        ({"issuing_country": "AUT"}, False),
        ({"number_fingerprint": "other"}, False),
    ],
)
def test_the_same_number_of_another_client_is_named(cast, fields, is_known):
    values = {"number_fingerprint": "same", "issuing_country": "D", **fields}
    a_document(cast.other_client, **values)
    a_document(cast.client, number_fingerprint="same", issuing_country="D")  # one's own is none
    paper = sheet(
        subject=Subject(cast.client.pk, cast.brand.pk, "Clara", "Weber", BORN, "", "", ""),
        number_fingerprint="same",
        issuing_country="D",
    )
    found = [row.found for row in duplicates.check(paper) if row.code == "DOC_NO_DUPLICATE"]
    assert found == ([f"#{cast.other_client.pk}"] if is_known else [])


def test_brands_do_not_look_into_each_others_files(cast):
    a_document(cast.other_client, number_fingerprint="same", issuing_country="D")
    Client.objects.filter(pk=cast.other_client.pk).update(brand=cast.other_brand)
    paper = sheet(
        subject=Subject(cast.client.pk, cast.brand.pk, "Clara", "Weber", BORN, "", "", ""),
        number_fingerprint="same",
        issuing_country="D",
    )
    assert [row for row in duplicates.check(paper) if row.code == "DOC_NO_DUPLICATE"] == []


@pytest.mark.parametrize(("side", "is_small"), [(599, True), (600, False), (601, False)])
def test_a_picture_has_600_pixels_on_its_long_side(side, is_small):
    page = np.random.default_rng(1).integers(0, 255, (300, side, 3)).astype(np.uint8)
    assert ("TOO_SMALL" in {str(row.code) for row in legibility.check(sheet(pages=[page]))}) is is_small


@pytest.mark.parametrize(
    ("box", "touches"),
    [
        ((EDGE, 0.5, 0.5, 0.2), True),
        ((EDGE + 0.001, 0.5, 0.5, 0.2), False),
        ((0.2, EDGE, 0.5, 0.2), True),
        ((0.2, 0.5, 0.8 - EDGE, 0.2), True),
        ((0.2, 0.5, 0.799 - EDGE, 0.2), False),
        ((0.2, 0.5, 0.5, 0.5 - EDGE), True),
    ],
)
def test_a_zone_at_the_edge_may_be_cut(box, touches):
    assert Reading(zone().mrz, box, True, "mrz").touches_edge is touches


# ── leases and windows ───────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("by", "holds"), [(-SECOND, False), (0 * SECOND, False), (SECOND, True)])
@time_machine.travel(NOW, tick=False)
def test_a_claim_ends_at_its_time(cast, by, holds):
    document = held(cast, NOW + by)
    assert work.is_held_by_other(cast.mlro, document.work, NOW) is holds
    assert not work.is_held_by_other(cast.kyc_officer, document.work, NOW)
    assert (work.claim_next(reviews.REVIEW, actor=cast.mlro) is None) is holds


@pytest.mark.parametrize(("by", "may"), [(-SECOND, False), (0 * SECOND, False), (SECOND, True)])
@time_machine.travel(NOW, tick=False)
def test_only_a_claim_that_holds_decides_and_is_extended(cast, by, may):
    document = held(cast, NOW + by)
    assert work.extend(item_id=document.work_id, actor=cast.kyc_officer) is may
    WorkItem.objects.filter(pk=document.work_id).update(claimed_at=NOW - MINUTE, claimed_until=NOW + by)
    if may:
        reviews.approve(document_id=document.pk, actor=cast.kyc_officer)
    else:
        with pytest.raises(NotAllowed, match="Claim this first"):
            reviews.approve(document_id=document.pk, actor=cast.kyc_officer)


@time_machine.travel(NOW, tick=False)
def test_a_claim_lasts_ten_minutes_for_that_client(cast):
    document, of_another = a_document(cast.client), a_document(cast.other_client)
    work.claim(item_id=document.work_id, actor=cast.kyc_officer)
    document.refresh_from_db()
    of_another.refresh_from_db()
    assert (document.work.claimed_until, of_another.work.claimed_until) == (NOW + 10 * MINUTE, None)
    work.release(item_id=of_another.work_id, actor=cast.kyc_officer)
    document.refresh_from_db()
    assert document.work.claimed_by == cast.kyc_officer


@time_machine.travel(NOW, tick=False)
def test_an_undone_decision_is_claimed_for_ten_minutes_again(cast):
    document = held(cast, NOW + MINUTE)
    reviews.approve(document_id=document.pk, actor=cast.kyc_officer)
    item = work.undo(item_id=document.work_id, actor=cast.kyc_officer)
    assert (item.claimed_by, item.claimed_until) == (cast.kyc_officer, NOW + 10 * MINUTE)
    with pytest.raises(NotAllowed):
        reviews.approve(document_id=document.pk, actor=cast.mlro)


def test_only_what_waits_for_review_is_claimed(cast):
    document = held(cast, NOW + MINUTE)
    with time_machine.travel(NOW, tick=False):
        reviews.approve(document_id=document.pk, actor=cast.kyc_officer)
    with pytest.raises(WrongState, match="isn't open any more"):
        work.claim(item_id=document.work_id, actor=cast.kyc_officer)


@pytest.mark.parametrize(("seconds", "takes_effect"), [(7, False), (8, True), (9, True)])
def test_a_decision_takes_effect_after_eight_seconds(cast, seconds, takes_effect):
    with time_machine.travel(NOW, tick=False):
        document = held(cast, NOW + MINUTE)
        reviews.approve(document_id=document.pk, actor=cast.kyc_officer)
    with time_machine.travel(NOW + seconds * SECOND, tick=False):
        assert due.sweep(kinds=[work.SETTLING]) == takes_effect
        assert work.settle(item_id=document.work_id) == 0
    assert Client.objects.get(pk=cast.client.pk).kyc_level == takes_effect


@pytest.mark.parametrize(("by", "is_due"), [(-SECOND, True), (0 * SECOND, True), (SECOND, False)])
@time_machine.travel(NOW, tick=False)
def test_a_lost_check_is_due_when_its_lease_ends(cast, by, is_due):
    document = a_document(cast.client, state="checking", check_lease_until=NOW + by)
    assert documents.waiting_for_checks() == ([document.pk] if is_due else [])
    fresh = a_document(cast.other_client, state="uploaded", uploaded_at=NOW - 30 * SECOND)
    assert (fresh.pk in documents.waiting_for_checks(waited_seconds=30)) is True
    assert (fresh.pk in documents.waiting_for_checks(waited_seconds=31)) is False


@pytest.mark.parametrize(("attempts", "is_tried"), [(2, True), (3, False), (4, False)])
@time_machine.travel(NOW, tick=False)
def test_checks_are_tried_three_times(cast, attempts, is_tried):
    document = a_document(cast.client, state="checking", check_lease_until=NOW - SECOND, check_attempts=attempts)
    assert (pipeline._begin(document.pk) is not None) is is_tried
    document.refresh_from_db()
    assert document.state == ("checking" if is_tried else "pending_review")
    assert CheckRun.objects.filter(document=document, state="running").count() == is_tried


# ── files of one day and hour ────────────────────────────────────────────────────────────────────────────────────────
def a_file(client, **fields) -> IncomingFile:
    number = next(_keys)
    values = {
        "kind": "passport",
        "file_name": "scan.jpg",
        "store_key": f"limits/in-{number}",
        "size_bytes": 1,
        "sha256": f"{number:064d}",
        "language": "de",
        "received_at": NOW,
        **fields,
    }
    return IncomingFile.objects.create(client=client, **values)


@pytest.mark.parametrize(("count", "is_refused"), [(28, False), (29, False), (30, True)])
@time_machine.travel(NOW, tick=False)
def test_thirty_documents_are_a_days_most(cast, count, is_refused):
    for _number in range(count):
        a_document(cast.client, kind="other", uploaded_at=NOW - DAY + SECOND)
    a_document(cast.client, kind="other", uploaded_at=NOW - DAY)  # of the day before
    a_document(cast.other_client, kind="other")
    if is_refused:
        with pytest.raises(DomainError, match="daily limit for documents"):
            documents.refuse_what_can_not_be_taken(cast.client, "f" * 64)
    else:
        documents.refuse_what_can_not_be_taken(cast.client, "f" * 64)


@pytest.mark.parametrize(("count", "is_refused"), [(18, False), (19, False), (20, True)])
@time_machine.travel(NOW, tick=False)
def test_twenty_files_are_an_hours_most(cast, count, is_refused):
    for _number in range(count):
        a_file(cast.client, received_at=NOW - 60 * MINUTE + SECOND)
    a_file(cast.client, received_at=NOW - 60 * MINUTE)
    a_file(cast.other_client)
    if is_refused:
        with pytest.raises(DomainError, match="too many files in the last hour"):
            incoming._refuse_too_many(cast.client, "f" * 64)
    else:
        incoming._refuse_too_many(cast.client, "f" * 64)


@pytest.mark.parametrize(
    ("attempts", "lease", "ending"),
    [
        (0, None, "tried"),
        (2, None, "tried"),
        (3, None, "refused"),
        (1, -SECOND, "tried"),
        (1, 0 * SECOND, "tried"),
        (1, SECOND, "left alone"),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_a_file_is_opened_three_times_one_worker_at_a_time(cast, attempts, lease, ending):
    waits = a_file(cast.client, attempts=attempts, lease_until=None if lease is None else NOW + lease)
    assert (incoming._begin(waits.pk) is not None) is (ending == "tried")
    waits.refresh_from_db()
    assert (waits.state == IncomingState.REFUSED) is (ending == "refused")
    assert waits.attempts == attempts + (ending == "tried")
    if ending == "tried":
        assert waits.lease_until == NOW + 120 * SECOND


@pytest.mark.parametrize(("waited", "is_due"), [(29, False), (30, True), (31, True)])
@time_machine.travel(NOW, tick=False)
def test_the_clock_takes_files_that_nobody_took(cast, waited, is_due):
    waits = a_file(cast.client, received_at=NOW - waited * SECOND)
    a_file(cast.other_client, received_at=NOW - 90 * SECOND, lease_until=NOW + SECOND)
    assert incoming.due(waited_seconds=30) == ([waits.pk] if is_due else [])


@pytest.mark.parametrize(("by", "is_read"), [(-1, True), (0, True), (1, False)])
def test_a_file_is_read_up_to_its_most_bytes(settings, by, is_read):
    content = b"%PDF-1.7 " + b"x" * 100
    settings.UPLOAD_MAX_BYTES = len(content) - by
    if is_read:
        assert intake.receive(io.BytesIO(content), name="a.pdf").content == content
    else:
        with pytest.raises(intake.FileRefused) as told:
            intake.receive(io.BytesIO(content), name="a.pdf")
        assert told.value.code == "file_too_large"


@pytest.mark.parametrize(("days", "is_kept"), [(29, True), (30, True), (31, False)])
@time_machine.travel(NOW, tick=False)
def test_rows_of_opened_files_are_kept_thirty_days(cast, days, is_kept):
    a_file(
        cast.client,
        state=IncomingState.REFUSED,
        store_key="",
        finished_at=NOW - days * DAY,
        reason="could not be opened",
    )
    waits = a_file(cast.other_client, received_at=NOW - 90 * DAY)
    assert incoming.drop_old() == (not is_kept)
    assert IncomingFile.objects.filter(pk=waits.pk).exists()


@pytest.mark.parametrize(("hours", "is_shown"), [(23, True), (24, False), (25, False)])
@time_machine.travel(NOW, tick=False)
def test_a_refused_file_is_shown_for_a_day(cast, hours, is_shown):
    refused = {"state": IncomingState.REFUSED, "store_key": "", "finished_at": NOW, "reason": "damaged"}
    mine = a_file(cast.client, received_at=NOW - hours * 60 * MINUTE, **refused)
    a_file(cast.other_client, **refused)
    assert incoming.shown_for(cast.client) == ([mine] if is_shown else [])


@time_machine.travel(NOW, tick=False)
def test_a_refused_file_that_was_sent_again_is_not_shown(cast):
    refused = {"state": IncomingState.REFUSED, "store_key": "", "finished_at": NOW, "reason": "damaged"}
    a_file(cast.client, received_at=NOW - 2 * MINUTE, **refused)
    other_side = a_file(cast.client, kind="id_card", side="back", received_at=NOW - 2 * MINUTE, **refused)
    again = a_file(cast.client, received_at=NOW - MINUTE)
    assert incoming.shown_for(cast.client) == [again, other_side]


# ── levels and the search box ────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("parts", "level"),
    [
        ([], 0),
        ([("passport", "front")], 1),
        ([("id_card", "front")], 0),
        ([("id_card", "front"), ("id_card", "back")], 1),
        ([("id_card", "front"), ("driving_licence", "back")], 0),
        ([("driving_licence", "front"), ("driving_licence", "back")], 1),
        ([("proof_of_address", "front")], 0),
        ([("passport", "front"), ("proof_of_address", "front")], 2),
        ([("selfie", "front"), ("source_of_funds", "front")], 0),
    ],
)
def test_what_makes_a_level(cast, parts, level):
    registered(cast.client)
    made = [decided(cast, kind=kind, side=side, settled_at=NOW) for kind, side in parts]
    for kind in ("passport", "proof_of_address"):
        decided(cast, client=cast.other_client, kind=kind, settled_at=NOW)
    if made:
        assert levels.note_level(client=cast.client, document=made[-1]) == level
    assert Client.objects.get(pk=cast.client.pk).kyc_level == level


def test_a_level_is_audited_with_the_one_before(cast):
    registered(cast.client)
    for kind in ("passport", "proof_of_address", "passport"):
        levels.note_level(client=cast.client, document=decided(cast, kind=kind, settled_at=NOW))
    bodies = [audit.body_of(row) for row in AuditEvent.objects.filter(action="kyc.level_reached").order_by("id")]
    assert [(body["before"], body["after"]) for body in bodies] == [
        ({"level": 0}, {"level": 1}),
        ({"level": 1}, {"level": 2}),
    ]


def test_a_decision_in_its_window_makes_no_level(cast):
    document = decided(cast)
    assert levels.note_level(client=cast.client, document=document) == 0


@pytest.mark.parametrize(
    ("query", "is_found"), [("C01X", False), ("C01X0", True), ("c01-x0", True), ("C01X00", False), ("CXXXX", False)]
)
def test_numbers_are_found_whole_and_from_five_characters(cast, query, is_found):
    a_document(cast.client, number_fingerprint=number_fingerprint("C01X0"))
    a_document(cast.other_client, number_fingerprint=number_fingerprint("C01X"))
    assert [row.label for row in panels.find_by_number(cast.kyc_officer, query, 5)] == (
        ["Passport: Clara Weber"] if is_found else []
    )
    assert list(panels.find_by_number(cast.agent, query, 5)) == []


@pytest.mark.parametrize(("hours_left", "css"), [(2, ""), (1.99, "k-amber"), (0, "k-amber"), (-0.01, "neg")])
@time_machine.travel(NOW, tick=False)
def test_waiting_is_amber_before_and_red_after_the_clock_ends(cast, hours_left, css):
    document = a_document(cast.client, uploaded_at=NOW - dt.timedelta(hours=90))
    document.work.due_at = NOW + dt.timedelta(hours=hours_left)
    shown = str(tables.waited(document, SimpleNamespace(now=NOW)))
    assert shown.startswith(f'<span class="{css}"')
