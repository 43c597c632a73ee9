"""Compliance on one client's page: what it shows to whom, and what its buttons refuse."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from clients.models import Client
from compliance import queries, restrictions, screening
from compliance.forms import ClearForm, RestrictForm
from compliance.models import Hit, ListVersion, Restriction, RiskAssessment, Screening
from compliance.risk_rating.rating import assess
from compliance.views import home_cards, watchlists
from crm.choices import Role
from tests.cast import make_client, make_staff
from tests.compliance.factories import load, un_file

pytestmark = pytest.mark.django_db


def url(name: str, *args) -> str:
    return reverse(f"compliance:{name}", args=args)


def text(answer) -> str:
    return answer.content.decode()


@pytest.fixture
def screened(cast, tmp_path):
    """Both clients screened: Clara may be listed, Óscar is not."""
    load(tmp_path, {"first": "Klara", "second": "Weber"})
    for client in (cast.client, cast.other_client):
        screening.screen_client(client_id=client.pk, trigger="demand", actor=cast.mlro)
        assess(client_id=client.pk)
    return cast


def place(cast, client=None, **fields) -> Restriction:
    values = {"kind": "no_deposit", "reason": "Source of funds", "actor": cast.mlro, **fields}
    return restrictions.place_restriction(client_id=(client or cast.client).pk, **values)


def test_the_page_shows_rating_match_and_hold(screened, browse):
    page = text(browse(screened.mlro).get(url("client", screened.client.pk)))
    assert "Possible watchlist match under review" in page and "Klara Weber" in page and "Frozen" in page
    page = text(browse(screened.mlro).get(url("client", screened.other_client.pk)))
    assert "Klara Weber" not in page and "Frozen" not in page and "Possible watchlist match" not in page


def test_the_tab_shows_the_same(screened, browse):
    page = text(browse(screened.mlro).get(f"/clients/{screened.client.pk}/tab/compliance/"))
    assert "Klara Weber" in page and "Frozen" in page
    assert browse(screened.agent).get(f"/clients/{screened.client.pk}/tab/compliance/").status_code == 404


@pytest.mark.parametrize(("who", "buttons"), [("kyc_officer", True), ("mlro", True), ("auditor", False)])
def test_only_officers_have_buttons(screened, browse, who, buttons):
    page = text(browse(getattr(screened, who)).get(url("client", screened.client.pk)))
    for name in ("screen", "restrict"):
        assert (url(name, screened.client.pk) in page) is buttons


def test_the_page_says_why_nobody_was_screened(cast, browse):
    page = text(browse(cast.mlro).post(url("screen", cast.client.pk), follow=True))
    assert "No watchlist is imported" in page and not Screening.objects.exists()


def test_a_client_without_a_name_is_said_so(screened, browse):
    Client.objects.filter(pk=screened.client.pk).update(first_name="", last_name="")
    page = text(browse(screened.mlro).post(url("screen", screened.client.pk), follow=True))
    assert "no name yet" in page and Screening.objects.count() == 2


def test_a_restriction_is_asked_for_with_a_form(cast, browse):
    browser = browse(cast.mlro)
    assert "Add restriction" in text(browser.get(url("restrict", cast.client.pk)))
    answer = browser.post(url("restrict", cast.client.pk), {"kind": "no_sleep", "reason": "kept words"})
    assert answer.status_code == 422 and "kept words" in text(answer)
    browser.post(url("restrict", cast.client.pk), {"kind": "no_deposit", "reason": "Source of funds"})
    answer = browser.post(url("restrict", cast.client.pk), {"kind": "no_deposit", "reason": "again"})
    assert answer.status_code == 422 and "already in force" in text(answer)
    assert Restriction.objects.count() == 1


@pytest.mark.parametrize(("length", "is_kept"), [(1, True), (2000, True), (2001, False)])
def test_reasons_have_up_to_two_thousand_letters(length, is_kept):
    assert RestrictForm({"kind": "frozen", "reason": "w" * length}).is_valid() is is_kept
    assert ClearForm({"reason_code": "document", "reason": "w" * length}).is_valid() is is_kept


def test_asking_on_the_page_needs_a_reason(cast, browse):
    placed = place(cast)
    browser = browse(cast.kyc_officer)
    assert "Request lift" in text(browser.get(url("ask_to_lift", placed.pk)))
    assert browser.post(url("ask_to_lift", placed.pk), {"reason": ""}).status_code == 422
    placed.refresh_from_db()
    assert placed.lift_requested_by is None
    browser.post(url("ask_to_lift", placed.pk), {"reason": "Came"})
    answer = browser.post(url("ask_to_lift", placed.pk), {"reason": "Came again"})
    assert answer.status_code == 422 and "has already requested this" in text(answer)


def test_who_asked_is_told_that_a_colleague_must_release(cast, browse):
    placed = place(cast)
    restrictions.ask_to_lift(restriction_id=placed.pk, actor=cast.kyc_officer, reason="Came")
    page = text(browse(cast.kyc_officer).post(url("lift", placed.pk), follow=True))
    assert "someone else must decide" in page and queries.restrictions_of(cast.client)
    page = text(browse(cast.mlro).post(url("lift", placed.pk), follow=True))
    assert "Restriction lifted." in page and not queries.restrictions_of(cast.client)


def test_keeping_it_on_the_page_needs_a_reason(cast, browse):
    placed = place(cast)
    restrictions.ask_to_lift(restriction_id=placed.pk, actor=cast.kyc_officer, reason="Came")
    browser = browse(cast.mlro)
    assert "Keep restriction" in text(browser.get(url("keep", placed.pk)))
    assert "Enter why the restriction stays in force." in text(
        browser.post(url("keep", placed.pk), {"reason": " "}, follow=True)
    )
    placed.refresh_from_db()
    assert placed.lift_requested_by == cast.kyc_officer


@pytest.mark.parametrize("name", ["ask_to_lift", "lift", "keep"])
@pytest.mark.parametrize("who", ["agent", "finance", "support", "auditor", "administrator"])
def test_others_lift_nothing_past_the_page(cast, browse, name, who):
    placed = place(cast)
    restrictions.ask_to_lift(restriction_id=placed.pk, actor=cast.kyc_officer, reason="Came")
    assert browse(getattr(cast, who)).post(url(name, placed.pk), {"reason": "x"}).status_code in (403, 404)
    placed.refresh_from_db()
    assert placed.is_in_force and placed.lift_requested_by == cast.kyc_officer


def test_an_officer_of_another_brand_reaches_nothing(screened, browse):
    theirs = make_staff("m@southern.example", Role.MLRO, brand=screened.other_brand)
    hit, hold = Hit.objects.get(), Restriction.objects.get()
    browser = browse(theirs)
    for address in (url("hit", hit.pk), url("client", screened.client.pk), url("ask_to_lift", hold.pk)):
        assert browser.get(address).status_code == 404
    for address in (url("clear", hit.pk), url("confirm", hit.pk), url("screen", screened.client.pk)):
        assert browser.post(address, {"reason": "x", "reason_code": "other"}).status_code == 404
    for name in ("hits", "restrictions"):
        assert "Clara Weber" not in text(browser.get(url(name), follow=True))
    assert queries.open_hit_count(theirs) == 0
    cards = (home_cards.open_matches(theirs), home_cards.restrictions(theirs), home_cards.lift_requests(theirs))
    assert [card.value for card in cards] == ["0", "0", "0"]


def test_the_list_of_restrictions_narrows(cast, browse):
    place(cast, reason="still there")
    lifted = place(cast, client=cast.other_client, reason="long over")
    restrictions.ask_to_lift(restriction_id=lifted.pk, actor=cast.kyc_officer, reason="Came")
    browser = browse(cast.mlro)
    page = text(browser.get(url("restrictions"), {"state": "asked"}))
    assert "long over" in page and "still there" not in page
    restrictions.lift(restriction_id=lifted.pk, actor=cast.mlro)
    page = text(browser.get(url("restrictions"), {"state": "force"}))
    assert "still there" in page and "long over" not in page


def test_the_tile_counts_what_waits_for_a_second_person(screened):
    placed = place(screened)
    place(screened, kind="no_trading")
    restrictions.ask_to_lift(restriction_id=placed.pk, actor=screened.kyc_officer, reason="Came")
    matches, lifts = home_cards.open_matches(screened.mlro), home_cards.lift_requests(screened.mlro)
    assert (matches.value, lifts.value) == ("1", "1") and str(lifts.hint).startswith("0 yours · oldest ")


def test_one_current_rating_per_client(screened):
    rating = RiskAssessment.objects.get(client=screened.client, is_current=True)
    assert queries.current_risk(screened.client) == rating
    assert queries.current_risk(make_client(brand=screened.brand, book=screened.pool, email="n@example.com")) is None
    with pytest.raises(IntegrityError), transaction.atomic():
        RiskAssessment.objects.create(
            client=screened.client, rating="low", points=0, model=rating.model, at=timezone.now()
        )


# ── loading lists ────────────────────────────────────────────────────────────────────────────────────────────────────
def files(*names: str) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(name, b"x") for name in names]


@pytest.mark.parametrize("names", [[], ["a.xml", "b.xml", "c.xml", "d.xml"]])
def test_a_list_has_one_to_three_files(cast, browse, names):
    answer = browse(cast.mlro).post(url("watchlists"), {"source": "un", "files": files(*names)})
    assert answer.status_code in (400, 413, 422) and not ListVersion.objects.exists()


@pytest.mark.parametrize(("bound", "is_taken"), [(-1, False), (0, True), (1, True)])
def test_a_file_has_a_most_size(cast, browse, tmp_path, monkeypatch, bound, is_taken):
    content = un_file(tmp_path, {"first": "Anna", "second": "Listed"}).read_bytes()
    monkeypatch.setattr(watchlists, "FILE_BYTES_MAX", len(content) + bound)
    answer = browse(cast.mlro).post(
        url("watchlists"), {"source": "un", "files": [SimpleUploadedFile("list.xml", content)]}
    )
    assert answer.status_code == (302 if is_taken else 422)
    assert ListVersion.objects.exists() is is_taken


def test_a_list_that_shrank_is_loaded_when_somebody_says_so(cast, browse, tmp_path):
    load(tmp_path, *({"first": f"Anna{letter}", "second": "Listed"} for letter in "abcd"))
    content = un_file(tmp_path, {"first": "Anna", "second": "Listed"}).read_bytes()
    browser = browse(cast.mlro)

    def send(**fields) -> int:
        upload = SimpleUploadedFile("list.xml", content)
        return browser.post(url("watchlists"), {"source": "un", "files": [upload], **fields}).status_code

    assert (send(), ListVersion.objects.get(state="current").entry_count) == (422, 4)
    assert (send(may_shrink="on"), ListVersion.objects.get(state="current").entry_count) == (302, 1)


def test_the_page_says_what_a_new_version_changed(cast, browse, tmp_path):
    load(tmp_path, {"id": "1", "first": "Anna", "second": "Listed"}, {"id": "2", "first": "Bela", "second": "Listed"})
    content = un_file(
        tmp_path, {"id": "2", "first": "Bela", "second": "Changed"}, {"id": "3", "first": "Cora", "second": "New"}
    ).read_bytes()
    upload = SimpleUploadedFile("list.xml", content)
    page = text(browse(cast.mlro).post(url("watchlists"), {"source": "un", "files": [upload]}, follow=True))
    assert "2 entries; 1 added, 1 changed, 1 removed." in page
