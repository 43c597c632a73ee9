"""The end of a document's validity: notices, the grace period, what is blocked after it, and what lifts that."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.urls import reverse

from clients.models import Client, Message
from compliance.audit_codes import ComplianceAction
from compliance.models import Restriction
from compliance.restrictions import ask_to_lift
from crm import due, events
from crm.errors import WrongState
from crm.models import AuditEvent, DueRow, Notification
from kyc.expiry import validity
from kyc.levels.reaching import note_level
from kyc.models import Document
from tests.brand_policies import set_policies
from tests.cast import signed_in
from tests.kyc.levels.test_levels import approved
from tests.outbox import published

LAST_DAY = dt.date(2033, 4, 15)


def at(day: dt.date, hour: int = 0) -> time_machine.travel:
    return time_machine.travel(dt.datetime.combine(day, dt.time(hour), dt.UTC), tick=False)


def before(days: int) -> dt.date:
    return LAST_DAY - dt.timedelta(days=days)


def expiring(client: Client, kind: str = "passport") -> Document:
    document = approved(client, kind)
    document.expires_on = LAST_DAY
    document.save(update_fields=["expires_on"])
    validity.schedule_expiry([document])
    note_level(client=client, document=document)
    return document


def expire(document: Document, *, grace_days: int = 14) -> None:
    with at(LAST_DAY + dt.timedelta(days=1)):
        assert due.sweep(kinds=[validity.EXPIRY]) == 1
    with at(LAST_DAY + dt.timedelta(days=1 + grace_days)):
        due.sweep(kinds=[validity.GRACE])
        events.drain()


def test_the_client_is_notified_once_for_each_of_the_brands_days(cast):
    document = expiring(cast.client)
    for days in (60, 30, 7):
        with at(before(days + 1), 23):
            assert due.sweep(kinds=[validity.EXPIRING]) == 0
        with at(before(days)):
            assert due.sweep(kinds=[validity.EXPIRING]) == 1
            events.drain()
    assert [event.data["days"] for event in published("kyc.document_expiring")] == [60, 30, 7]
    letters = Message.objects.filter(template="kyc.document_expiring", client=cast.client)
    assert letters.count() == 3 and "/portal/)" in letters.first().body
    assert Notification.objects.filter(user=cast.client.user, kind="kyc.document_expiring").count() == 3
    event = published("kyc.document_expiring")[0]
    validity.warn_the_client(event.event())
    assert letters.count() == 3
    assert not DueRow.objects.filter(kind=validity.EXPIRING.code, key=str(document.pk), state="pending").exists()


def test_a_document_approved_late_starts_with_the_next_notice(cast):
    with at(before(20)):
        expiring(cast.client)
    with at(before(20), 12):
        assert due.sweep(kinds=[validity.EXPIRING]) == 0
    with at(before(7)):
        assert due.sweep(kinds=[validity.EXPIRING]) == 1


def test_after_the_grace_period_deposits_are_blocked_by_default(cast):
    document = expiring(cast.client)
    with at(LAST_DAY + dt.timedelta(days=1)):
        due.sweep(kinds=[validity.EXPIRY])
    assert [event.data for event in published("kyc.level_lost")] == [
        {"level": 0, "level_before": 1, "reason": "expired"}
    ]
    with at(LAST_DAY + dt.timedelta(days=14), 23):
        assert due.sweep(kinds=[validity.GRACE]) == 0
    with at(LAST_DAY + dt.timedelta(days=15)):
        assert due.sweep(kinds=[validity.GRACE]) == 1
        events.drain()
    restriction = Restriction.objects.get(client=cast.client)
    assert (restriction.kind, restriction.cause, restriction.placed_by) == ("no_deposit", "document", None)
    assert Client.objects.get(pk=cast.client.pk).restrictions == ["no_deposit"]
    (event,) = published("kyc.verification_overdue")
    assert event.data == {"cause": "document", "reference_id": document.pk, "restrictions": ["no_deposit"]}
    with pytest.raises(WrongState, match="verification is renewed"):
        ask_to_lift(restriction_id=restriction.pk, reason="Please", actor=cast.mlro)


@pytest.mark.parametrize(
    ("kinds", "placed"), [([], []), (["no_withdrawal", "no_trading"], ["no_trading", "no_withdrawal"])]
)
def test_the_brand_says_what_is_blocked(cast, kinds, placed):
    set_policies(cast.brand, kyc_expiry_restricts=kinds, kyc_expiry_grace_days=0)
    expire(expiring(cast.client), grace_days=0)
    assert sorted(Restriction.objects.values_list("kind", flat=True)) == placed


def test_another_proof_of_the_same_kind_prevents_the_block(cast):
    document = expiring(cast.client)
    approved(cast.client, "id_card")
    note_level(client=cast.client, document=approved(cast.client, "id_card", "back"))
    expire(document)
    assert not Restriction.objects.exists() and not published("kyc.level_lost")


def test_a_new_approved_document_lifts_the_block(cast):
    expire(expiring(cast.client))
    with at(LAST_DAY + dt.timedelta(days=30)):
        client = Client.objects.select_related("brand").get(pk=cast.client.pk)
        validity.note_renewed(client)
        assert not published("kyc.verification_current")
        approved(client, "id_card")
        approved(client, "id_card", "back")
        validity.note_renewed(client)
        events.drain()
    restriction = Restriction.objects.get()
    assert restriction.lifted_at is not None and restriction.lifted_by is None
    assert Client.objects.get(pk=cast.client.pk).restrictions == []
    assert AuditEvent.objects.filter(action=ComplianceAction.RESTRICTION_LIFTED).count() == 1


def test_staff_see_what_expires_in_their_reach_only(cast):
    expiring(cast.client)
    expiring(cast.other_client)
    with at(before(20)):
        page = signed_in(cast.agent).get(reverse("kyc:expiring"), {"within": "30"}).content.decode()
        assert "20 days" in page and page.count("Passport") >= 1
        assert cast.other_client.full_name not in page
        assert (
            cast.client.full_name
            not in signed_in(cast.agent).get(reverse("kyc:expiring"), {"within": "7"}).content.decode()
        )
