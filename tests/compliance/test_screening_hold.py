"""A hold of the screening ends with the decision on its match, and in no other way."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from clients.models import Client
from compliance import hits, queries, restrictions, screening
from compliance.choices import HitState
from compliance.models import Hit, Restriction
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification
from tests.compliance.factories import confirm_match, load

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(cast, tmp_path):
    """Two listed people of nearly the client's name: two matches, two holds."""
    load(tmp_path, {"first": "Klara", "second": "Weber"}, {"first": "Clara", "second": "Weber"})
    screening.screen_client(client_id=cast.client.pk, trigger="demand")
    assert Hit.objects.count() == Restriction.objects.count() == 2
    return cast


def clear(cast, hit, **fields):
    values = {"reason_code": "document", "reason": "Passport seen", **fields}
    return hits.clear_hit(hit_id=hit.pk, actor=cast.kyc_officer, **values)


def test_a_hold_cannot_be_asked_away(held):
    hold = Restriction.objects.first()
    with pytest.raises(WrongState, match="Review the match instead"):
        restrictions.ask_to_lift(restriction_id=hold.pk, actor=held.kyc_officer, reason="He is nice")
    with pytest.raises(NotAllowed, match="No one has requested"):
        restrictions.lift(restriction_id=hold.pk, actor=held.mlro)
    hold.refresh_from_db()
    assert (hold.lift_requested_by, hold.lifted_at, hold.lift_reason) == (None, None, "")
    assert not Notification.objects.filter(kind="compliance.lift_asked").exists()


def test_the_page_does_not_let_a_hold_be_asked_away(held, browse):
    hold = Restriction.objects.first()
    browse(held.kyc_officer).post(reverse("compliance:ask_to_lift", args=[hold.pk]), {"reason": "He is nice"})
    assert queries.restrictions_of(held.client) and not Restriction.objects.exclude(lift_requested_by=None).exists()


def test_a_hold_beside_a_placed_restriction_stays(held):
    """The placed one is lifted by two people; the match is still open, so the account stays frozen."""
    placed = restrictions.place_restriction(
        client_id=held.client.pk, kind="frozen", reason="Source of funds", actor=held.mlro
    )
    restrictions.ask_to_lift(restriction_id=placed.pk, actor=held.kyc_officer, reason="Came")
    restrictions.lift(restriction_id=placed.pk, actor=held.mlro)
    assert queries.restrictions_of(held.client) == queries.FROZEN_MEANS


def test_a_placed_restriction_outlives_the_cleared_match(held):
    restrictions.place_restriction(client_id=held.client.pk, kind="no_trading", reason="Margin", actor=held.mlro)
    for hit in Hit.objects.all():
        clear(held, hit)
    assert queries.restrictions_of(held.client) == {"no_trading"}


def test_each_match_holds_until_it_is_decided(held):
    first, second = Hit.objects.order_by("pk")
    clear(held, first)
    assert queries.restrictions_of(held.client) == queries.FROZEN_MEANS
    assert [row.hit for row in Restriction.objects.filter(lifted_at=None)] == [second]
    clear(held, second)
    assert queries.restrictions_of(held.client) == frozenset()


def test_confirming_one_match_leaves_the_other_open(held):
    first, second = Hit.objects.order_by("pk")
    confirm_match(first, held)
    second.refresh_from_db()
    assert second.state == HitState.OPEN
    assert sorted(Restriction.objects.filter(lifted_at=None).values_list("cause", flat=True)) == [
        "confirmed_match",
        "screening_hold",
    ]
    clear(held, second)
    assert queries.restrictions_of(held.client) == queries.FROZEN_MEANS


def test_a_confirmed_match_is_lifted_by_two_people_only(held):
    for hit in Hit.objects.order_by("pk"):
        confirm_match(hit, held)
    frozen = Restriction.objects.filter(cause="confirmed_match").first()
    with pytest.raises(NotAllowed, match="No one has requested"):
        restrictions.lift(restriction_id=frozen.pk, actor=held.kyc_officer)
    restrictions.ask_to_lift(restriction_id=frozen.pk, actor=held.mlro, reason="Delisted")
    with pytest.raises(NotAllowed, match="someone else must decide"):
        restrictions.lift(restriction_id=frozen.pk, actor=held.mlro)
    restrictions.lift(restriction_id=frozen.pk, actor=held.kyc_officer)


def test_the_hold_of_another_client_is_not_touched(held):
    Client.objects.filter(pk=held.other_client.pk).update(first_name="Clara", last_name="Weber")
    screening.screen_client(client_id=held.other_client.pk, trigger="demand")
    for hit in Hit.objects.filter(client=held.client):
        clear(held, hit)
    assert queries.restrictions_of(held.client) == frozenset()
    assert queries.restrictions_of(held.other_client) == queries.FROZEN_MEANS


def test_one_clients_decision_does_not_count_for_another(held):
    for hit in Hit.objects.filter(client=held.client):
        clear(held, hit)
    Client.objects.filter(pk=held.other_client.pk).update(first_name="Clara", last_name="Weber", country="DE")
    found = screening.screen_client(client_id=held.other_client.pk, trigger="demand")
    assert (found.hit_count, found.known_count) == (2, 0)


def test_screening_again_holds_no_second_time(held):
    again = screening.screen_client(client_id=held.client.pk, trigger="demand")
    assert (again.hit_count, again.known_count) == (0, 2)
    assert Restriction.objects.count() == 2


def test_a_client_without_a_name_is_not_screened(held):
    Client.objects.filter(pk=held.other_client.pk).update(first_name="", last_name="")
    with pytest.raises(DomainError, match="no name yet"):
        screening.screen_client(client_id=held.other_client.pk, trigger="demand")


def test_an_outdated_match_can_no_longer_be_decided(held):
    Client.objects.filter(pk=held.client.pk).update(last_name="Zimmermann", first_name="Ingeborg")
    screening.screen_client(client_id=held.client.pk, trigger="profile")
    hit = Hit.objects.first()
    with pytest.raises(WrongState, match="already been reviewed: Outdated"):
        clear(held, hit)
    assert queries.restrictions_of(held.client) == frozenset()


# ── lifting what was placed ──────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def placed(cast):
    return restrictions.place_restriction(
        client_id=cast.client.pk, kind="no_withdrawal", reason="Source of funds", actor=cast.mlro
    )


def test_asking_notifies_the_colleagues_and_not_oneself(placed, cast):
    restrictions.ask_to_lift(restriction_id=placed.pk, actor=cast.kyc_officer, reason="Came")
    rows = Notification.objects.filter(kind="compliance.lift_asked")
    assert {row.user for row in rows} == {cast.mlro}
    assert AuditEvent.objects.filter(action="compliance.restriction_lift_asked").count() == 1


@pytest.mark.parametrize("reason", ["", "  "])
def test_asking_and_refusing_need_reasons(placed, cast, reason):
    with pytest.raises(DomainError, match="Enter why it can be lifted"):
        restrictions.ask_to_lift(restriction_id=placed.pk, actor=cast.kyc_officer, reason=reason)
    restrictions.ask_to_lift(restriction_id=placed.pk, actor=cast.kyc_officer, reason="Came")
    with pytest.raises(DomainError, match="why the restriction stays"):
        restrictions.refuse_to_lift(restriction_id=placed.pk, actor=cast.mlro, reason=reason)
    placed.refresh_from_db()
    assert placed.lift_requested_by == cast.kyc_officer


def test_who_asked_does_not_refuse_their_own_request(placed, cast):
    restrictions.ask_to_lift(restriction_id=placed.pk, actor=cast.kyc_officer, reason="Came")
    with pytest.raises(NotAllowed, match="someone else must decide"):
        restrictions.refuse_to_lift(restriction_id=placed.pk, actor=cast.kyc_officer, reason="Never mind")
    with pytest.raises(NotAllowed):
        restrictions.lift(restriction_id=placed.pk, actor=None)


def test_the_refused_is_notified_why(placed, cast):
    restrictions.ask_to_lift(restriction_id=placed.pk, actor=cast.kyc_officer, reason="Came")
    restrictions.refuse_to_lift(restriction_id=placed.pk, actor=cast.mlro, reason="  They are forged ")
    note = Notification.objects.get(kind="compliance.lift_refused")
    assert (note.user, note.body) == (cast.kyc_officer, "They are forged")


def test_what_was_lifted_may_be_placed_again(placed, cast):
    restrictions.ask_to_lift(restriction_id=placed.pk, actor=cast.kyc_officer, reason="Came")
    restrictions.lift(restriction_id=placed.pk, actor=cast.mlro)
    again = restrictions.place_restriction(
        client_id=cast.client.pk, kind="no_withdrawal", reason="Again", actor=cast.mlro
    )
    assert again.pk != placed.pk and queries.restrictions_of(cast.client) == {"no_withdrawal"}


def test_a_restriction_binds_its_client_only(placed, cast):
    assert not queries.may(cast.client, "withdrawal")
    assert queries.may(cast.other_client, "withdrawal") and queries.may(cast.client, "trading")


def test_the_database_wants_both_people_of_a_lifting(placed, cast):
    placed.lifted_by, placed.lifted_at = cast.mlro, timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        placed.save()
