"""The cockpits of KYC, MLRO and finance: four figures, a chart, a queue, lists that match."""

import datetime as dt
import re

import pytest
from django.utils import timezone

from compliance.restrictions import place_restriction
from compliance.views import home_cards as mlro
from crm.models import User
from kyc.choices import DocumentState
from kyc.models import CheckRun, Document, Issue
from kyc.views import officer_cards as officer
from tests.kyc.test_limits import a_document

ROLES = ("kyc_officer", "mlro", "finance")
KPI = re.compile(r'<(?:a href="([^"]*)"|div) class="k-kpi(?!s)')
WAITING = re.compile(r'hx-get="(/tiles/home/[^"]+)" hx-trigger="load"')


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def rows_of(browser, address: str) -> list:
    return list(browser.get(address).context["table"].page.rows)


@pytest.fixture
def world(cast):
    """Documents in every state and a restriction: each home has something to show."""
    now = timezone.now()
    pending = a_document(cast.client, state=DocumentState.PENDING_REVIEW, kind="passport")
    run = CheckRun.objects.create(document=pending, state="done", version="1", started_at=now, finished_at=now)
    Document.objects.filter(pk=pending.pk).update(uploaded_at=now - dt.timedelta(hours=30), checked_at=now)
    Issue.objects.create(run=run, document=pending, code="EXPIRED", severity="blocking", score=1)
    Issue.objects.create(run=run, document=pending, code="GLARE", severity="warning", score=1)
    approved = {"state": DocumentState.APPROVED, "reviewed_by": cast.kyc_officer, "reviewed_at": now, "settles_at": now}
    soon = timezone.localdate() + dt.timedelta(days=9)
    a_document(cast.client, kind="id_card", uploaded_at=now, checked_at=now, expires_on=soon, **approved)
    place_restriction(client_id=cast.client.pk, kind="no_deposit", reason="Asked by the police", actor=cast.mlro)
    return cast


@pytest.mark.parametrize("role", ROLES)
def test_each_home_has_four_figures_and_every_link_opens(role, world, browse):
    browser = browse(getattr(world, role))
    page = browser.get("/home/").content.decode()
    links = KPI.findall(page)
    assert len(links) == 4 and all(links)
    assert "k-cockpit-main single" not in page
    parts = [page[page.index('class="k-cockpit"') :]]
    for address in WAITING.findall(page):  # fetched after the page is there, and never empty
        answer = browser.get(address)
        assert answer.status_code == 200 and b"card-title" in answer.content, address
        parts.append(answer.content.decode())
    for address in sorted({*links, *(link for part in parts for link in re.findall(r'href="(/[^"#]*)"', part))}):
        answer = browser.get(address.replace("&amp;", "&"), follow=True)
        assert answer.status_code == 200, (role, address)


# What the home costs with its cards: each reads a statement or two, however many rows there are.
QUERIES = {"kyc_officer": 16, "mlro": 17, "finance": 0}


@pytest.mark.parametrize("role", ROLES)
def test_a_home_costs_the_same_however_much_there_is(role, world, browse, django_assert_num_queries):
    browser = browse(getattr(world, role))
    browser.get("/home/")
    with django_assert_num_queries(QUERIES[role]):
        browser.get("/home/")


# ── KYC ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_officers_figures_are_those_of_their_lists(world, browse):
    browser, user = browse(world.kyc_officer), fresh(world.kyc_officer)
    waiting, decided = officer.waiting(user), officer.decided_today(user)
    assert (waiting.value, waiting.hint) == ("1", "1 waiting over a day") and len(rows_of(browser, waiting.url)) == 1
    assert (decided.value, decided.hint) == ("1", "1 by the whole team") and len(rows_of(browser, decided.url)) == 1
    assert officer.decided_today(fresh(world.mlro)).value == "0"
    for bar in officer.issues_this_week(user).bars:
        assert len(rows_of(browser, bar.url)) == bar.count == 1
    expiring = officer.expiring(user)
    assert [row.end_note for row in expiring.rows] == ["9 days left"] and len(rows_of(browser, expiring.url)) == 1


def test_the_oldest_wait_turns_red_after_a_day(world):
    kpi = officer.oldest_wait(fresh(world.kyc_officer))
    assert (kpi.value, kpi.tone) == ("1 d 6 h", "danger")
    Document.objects.filter(state=DocumentState.PENDING_REVIEW).update(uploaded_at=timezone.now())
    assert officer.oldest_wait(fresh(world.kyc_officer)).tone == "teal"


def test_half_of_the_documents_passed_the_checks(world):
    kpi = officer.passed_checks(fresh(world.kyc_officer))
    assert (kpi.value, kpi.hint) == ("50 %", "of 2 documents in 7 days")


def test_claimed_documents_come_first_with_their_worst_finding(world):
    newer = a_document(world.client, state=DocumentState.PENDING_REVIEW, kind="selfie", uploaded_at=timezone.now())
    Document.objects.filter(pk=newer.pk).update(
        claimed_by=world.kyc_officer, claimed_at=timezone.now(), claimed_until=timezone.now() + dt.timedelta(minutes=5)
    )
    rows = officer.next_documents(fresh(world.kyc_officer)).rows
    assert [row.note for row in rows] == ["Selfie · No issues", "Passport · Expired +1"]
    assert [row.end_note for row in rows] == ["Claimed", ""]
    assert len(officer.next_documents(fresh(world.mlro)).rows) == 1  # the claimed one is a colleague's


def test_an_approved_identity_without_an_address_asks_for_the_second_document(world):
    user = fresh(world.kyc_officer)
    assert [row.end for row in officer.second_document(user).rows] == ["Missing"]
    a_document(world.client, state=DocumentState.UPLOADED, kind="proof_of_address")
    assert not officer.second_document(user).rows


# ── MLRO ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_mlros_figures_are_those_of_their_lists(world, browse):
    browser, user = browse(world.mlro), fresh(world.mlro)
    active, lifts = mlro.restrictions(user), mlro.lift_requests(user)
    assert (active.value, active.hint) == ("1", "1 placed by staff") and len(rows_of(browser, active.url)) == 1
    assert lifts.value == "0" and not rows_of(browser, lifts.url)
    assert [row.note for row in mlro.latest_restrictions(user).rows] == ["Asked by the police"]
