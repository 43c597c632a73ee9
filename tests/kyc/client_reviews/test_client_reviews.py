"""Periodic reviews: when one is due by risk, what its decision brings, and what happens when it is overdue."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from clients.models import Client, Message
from compliance.models import Restriction
from crm import due, events, work
from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent, DueRow, Notification
from kyc.client_reviews.deciding import decide_review
from kyc.client_reviews.schedule import OPENING, OVERDUE, months_after, schedule_missing, schedule_review
from kyc.models import LevelReached
from kyc.models.client_reviews import ClientReview
from tests.brand_policies import set_policies
from tests.cast import signed_in
from tests.outbox import published

VERIFIED = dt.datetime(2030, 1, 31, 12, tzinfo=dt.UTC)


@pytest.fixture
def verified(cast) -> Client:
    LevelReached.objects.create(client=cast.client, level=1, reached_at=VERIFIED)
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=1, stage="verified", risk_rating="low")
    return Client.objects.select_related("brand").get(pk=cast.client.pk)


def rated(client: Client, risk: str) -> Client:
    Client.objects.filter(pk=client.pk).update(risk_rating=risk)
    return Client.objects.select_related("brand").get(pk=client.pk)


def opened(client: Client) -> ClientReview:
    at = schedule_review(client)
    assert at is not None
    with time_machine.travel(at, tick=False):
        assert due.sweep(kinds=[OPENING]) == 1
    return ClientReview.objects.select_related("work").get(client=client, state="open")


def claimed(client: Client, officer) -> ClientReview:
    review = opened(client)
    work.claim(item_id=review.work_id, actor=officer)
    return review


@pytest.mark.parametrize(
    ("day", "months", "after"),
    [((2030, 1, 31), 1, (2030, 2, 28)), ((2028, 1, 31), 1, (2028, 2, 29)), ((2030, 11, 30), 12, (2031, 11, 30))],
)
def test_months_end_on_their_last_day(day, months, after):
    assert months_after(dt.datetime(*day, tzinfo=dt.UTC), months) == dt.datetime(*after, tzinfo=dt.UTC)


@pytest.mark.parametrize(("risk", "year"), [("high", 2031), ("medium", 2032), ("low", 2033), ("unrated", 2033)])
def test_a_review_is_due_by_risk(verified, risk, year):
    assert schedule_review(rated(verified, risk)) == VERIFIED.replace(year=year)


def test_a_change_of_risk_moves_the_day(verified):
    schedule_review(verified)
    schedule_review(rated(verified, "high"))
    row = DueRow.objects.get(kind=OPENING.code, state="pending")
    assert row.at == VERIFIED.replace(year=2031)


@pytest.mark.parametrize("stage", ["lead", "closed", "related"])
def test_only_clients_are_reviewed(verified, stage):
    schedule_review(verified)
    Client.objects.filter(pk=verified.pk).update(stage=stage)
    assert schedule_review(Client.objects.select_related("brand").get(pk=verified.pk)) is None
    assert not DueRow.objects.filter(kind=OPENING.code, state="pending").exists()


def test_confirming_sets_the_next_one(cast, verified):
    review = claimed(verified, cast.kyc_officer)
    decide_review(review_id=review.pk, outcome="confirmed", actor=cast.kyc_officer)
    review.refresh_from_db()
    row = DueRow.objects.get(kind=OPENING.code, state="pending")
    assert row.at == months_after(review.decided_at, 36)
    assert not DueRow.objects.filter(kind=OVERDUE.code, state="pending").exists()
    assert AuditEvent.objects.filter(action="kyc.client_review_decided").count() == 1


def test_requested_documents_are_asked_for_by_e_mail(cast, verified):
    review = claimed(verified, cast.kyc_officer)
    decide_review(review_id=review.pk, outcome="requested", actor=cast.kyc_officer)
    assert Message.objects.filter(client=verified, template="kyc.documents_missing").count() == 1
    row = DueRow.objects.get(kind=OPENING.code, state="pending")
    review.refresh_from_db()
    assert (row.at - review.decided_at).days == 30


def test_an_escalation_needs_a_reason_and_reaches_the_mlro(cast, verified):
    review = claimed(verified, cast.kyc_officer)
    with pytest.raises(DomainError, match="Enter a reason"):
        decide_review(review_id=review.pk, outcome="escalated", actor=cast.kyc_officer)
    decide_review(review_id=review.pk, outcome="escalated", actor=cast.kyc_officer, reason="Deposits above income")
    assert Notification.objects.filter(user=cast.mlro, kind="kyc.review_escalated").count() == 1


def test_without_the_claim_or_the_right_no_one_decides(cast, verified):
    review = opened(verified)
    for actor in (cast.kyc_officer, cast.agent, cast.client.user):
        with pytest.raises(NotAllowed):
            decide_review(review_id=review.pk, outcome="confirmed", actor=actor)


def test_an_overdue_review_blocks_what_the_brand_says(cast, verified):
    set_policies(cast.brand, client_review_restricts=["no_deposit"])
    review = opened(Client.objects.select_related("brand").get(pk=verified.pk))
    with time_machine.travel(review.opened_at + dt.timedelta(days=60), tick=False):
        assert due.sweep(kinds=[OVERDUE]) == 1
        events.drain()
        restriction = Restriction.objects.get(client=verified)
        assert (restriction.kind, restriction.cause) == ("no_deposit", "review")
        work.claim(item_id=review.work_id, actor=cast.kyc_officer)
        decide_review(review_id=review.pk, outcome="confirmed", actor=cast.kyc_officer)
        events.drain()
    restriction.refresh_from_db()
    assert restriction.lifted_at is not None


def test_by_default_an_overdue_review_blocks_nothing(verified):
    review = opened(verified)
    with time_machine.travel(review.opened_at + dt.timedelta(days=60), tick=False):
        due.sweep(kinds=[OVERDUE])
    assert not published("kyc.verification_overdue")


def test_the_page_lists_what_to_check(cast, verified):
    review, officer = opened(verified), signed_in(cast.kyc_officer)
    assert cast.client.full_name in officer.get(reverse("kyc:client_reviews")).content.decode()
    url = reverse("kyc:client_review", args=[review.pk])
    page = officer.get(url).content.decode()
    assert "Proof of identity" in page and "Not proved today" in page and "Screening" in page
    assert officer.post(url, {"outcome": "escalated"}).status_code == 422
    work.claim(item_id=review.work_id, actor=cast.kyc_officer)
    assert officer.post(url, {"outcome": "confirmed"}).status_code == 302
    assert signed_in(cast.agent).get(url).status_code == 403


def test_verified_clients_without_a_review_date_get_one(verified, cast):
    """Once, and spread over the coming months where it should have been long ago."""
    with time_machine.travel(VERIFIED + dt.timedelta(days=400), tick=False):
        assert (schedule_missing(), schedule_missing()) == (1, 0)
        assert DueRow.objects.get(kind=OPENING.code).at == months_after(VERIFIED, 36)
        DueRow.objects.filter(kind=OPENING.code).delete()
    later = VERIFIED + dt.timedelta(days=4_000)
    with time_machine.travel(later, tick=False):
        assert schedule_missing(limit=1) == 1
    at = DueRow.objects.get(kind=OPENING.code).at
    assert later < at <= later + dt.timedelta(days=91)
