"""Restrictions: placed at once, lifted by two people."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from clients.facts import FACTS, differences
from clients.models import Client
from compliance import queries, restrictions
from compliance.models import Restriction
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification, OutboxEvent

pytestmark = pytest.mark.django_db


def place(cast, **fields):
    values = {"kind": "no_withdrawal", "reason": "Source of funds asked for", "actor": cast.mlro, **fields}
    return restrictions.place_restriction(client_id=cast.client.pk, **values)


def test_placing_takes_effect_at_once_and_is_told(cast):
    restriction = place(cast)
    assert queries.restrictions_of(cast.client) == {"no_withdrawal"}
    assert queries.may(cast.client, "deposit") and not queries.may(cast.client.pk, "withdrawal")
    assert Client.objects.get(pk=cast.client.pk).restrictions == ["no_withdrawal"]
    assert OutboxEvent.objects.get(name="compliance.restriction_placed").payload["restriction_id"] == restriction.pk
    assert AuditEvent.objects.filter(action="compliance.restriction_placed").count() == 1


def test_frozen_means_everything(cast):
    place(cast, kind="frozen")
    assert not any(queries.may(cast.client, what) for what in ("deposit", "withdrawal", "trading"))


def test_lifting_takes_two_people(cast):
    restriction = place(cast)
    with pytest.raises(NotAllowed, match="No one has requested"):
        restrictions.lift(restriction_id=restriction.pk, actor=cast.kyc_officer)
    restrictions.ask_to_lift(restriction_id=restriction.pk, actor=cast.kyc_officer, reason="Papers came")
    with pytest.raises(NotAllowed, match="someone else must decide"):
        restrictions.lift(restriction_id=restriction.pk, actor=cast.kyc_officer)
    with pytest.raises(WrongState, match="already requested"):
        restrictions.ask_to_lift(restriction_id=restriction.pk, actor=cast.mlro, reason="me too")
    restrictions.lift(restriction_id=restriction.pk, actor=cast.mlro)
    assert queries.restrictions_of(cast.client) == frozenset()
    assert Client.objects.get(pk=cast.client.pk).restrictions == []
    with pytest.raises(WrongState, match="already been lifted"):
        restrictions.lift(restriction_id=restriction.pk, actor=cast.mlro)


def test_the_database_holds_four_eyes_too(cast):
    restriction = place(cast)
    restriction.lift_requested_by = restriction.lifted_by = cast.mlro
    restriction.lift_requested_at = restriction.lifted_at = timezone.now()
    restriction.lift_reason = "me alone"
    with pytest.raises(IntegrityError, match="restriction_is_lifted_by_two_people"), transaction.atomic():
        restriction.save()


def test_a_colleague_may_say_no(cast):
    restriction = place(cast)
    restrictions.ask_to_lift(restriction_id=restriction.pk, actor=cast.kyc_officer, reason="Papers came")
    restrictions.refuse_to_lift(restriction_id=restriction.pk, actor=cast.mlro, reason="They are forged")
    restriction.refresh_from_db()
    assert restriction.is_in_force and restriction.lift_requested_by is None
    restrictions.ask_to_lift(restriction_id=restriction.pk, actor=cast.kyc_officer, reason="New papers")


def test_who_asked_withdraws_the_request_and_the_restriction_stays(cast):
    restriction = place(cast)
    restrictions.ask_to_lift(restriction_id=restriction.pk, actor=cast.kyc_officer, reason="Papers came")
    with pytest.raises(NotAllowed):
        restrictions.withdraw_lift(restriction_id=restriction.pk, actor=cast.mlro)
    back = restrictions.withdraw_lift(restriction_id=restriction.pk, actor=cast.kyc_officer, note="Not yet")
    assert back.is_in_force and back.lift_requested_by is None
    with pytest.raises(NotAllowed, match="No one has requested"):
        restrictions.lift(restriction_id=restriction.pk, actor=cast.mlro)
    restrictions.ask_to_lift(restriction_id=restriction.pk, actor=cast.mlro, reason="Now they did")
    told = Notification.objects.filter(kind="compliance.lift_asked", user=cast.kyc_officer)
    assert told.count() == 1, "they hear of the new request"
    restrictions.lift(restriction_id=restriction.pk, actor=cast.kyc_officer)


@pytest.mark.parametrize("who", ["agent", "desk_head", "finance", "support", "auditor", "administrator"])
def test_other_roles_place_and_lift_nothing(cast, who):
    with pytest.raises(NotAllowed):
        place(cast, actor=getattr(cast, who))
    restriction = place(cast)
    with pytest.raises(NotAllowed):
        restrictions.ask_to_lift(restriction_id=restriction.pk, actor=getattr(cast, who), reason="please")
    assert Restriction.objects.get().is_in_force


def test_the_same_restriction_twice_and_without_a_reason(cast):
    place(cast)
    with pytest.raises(WrongState, match="already in force"):
        place(cast)
    with pytest.raises(DomainError, match="Enter a reason"):
        place(cast, kind="no_deposit", reason=" ")
    place(cast, kind="no_deposit")
    assert queries.restrictions_of(cast.client) == {"no_withdrawal", "no_deposit"}


def test_facts_recompute_to_what_they_are(cast):
    place(cast)
    place(cast, kind="frozen")
    for name in ("restrictions", "risk_rating"):
        assert list(differences(FACTS[name])) == []
