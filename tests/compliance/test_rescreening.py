"""A new version of a list screens by itself: who was added is held, who was removed is let go, everybody else is left alone."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients.models import Client
from compliance import hits, matching, queries, rescreening, screening
from compliance.choices import HitState
from compliance.models import ClientKeys, Hit, ListScreening, Restriction, Screening
from crm import events
from crm.models import AuditEvent, EventDelivery, Notification
from tests.compliance.factories import confirm_match, load

pytestmark = pytest.mark.django_db

KLARA, OTHER = {"first": "Klara", "second": "Weber"}, {"first": "Somebody", "second": "Else"}


def settle():
    events.drain()
    failed = EventDelivery.objects.exclude(error="").values_list("handler", "error")
    assert not failed, list(failed)


def test_a_person_newly_listed_is_held_with_nobody_touching_anything(cast, tmp_path):
    load(tmp_path, OTHER)
    settle()
    assert not Restriction.objects.exists()
    version = load(tmp_path, OTHER, KLARA)
    settle()
    hit = Hit.objects.get()
    assert (hit.client_id, hit.screening.trigger, hit.entry.primary_name) == (cast.client.pk, "list", "Klara Weber")
    assert Client.objects.get(pk=cast.client.pk).restrictions == ["frozen"]
    assert Notification.objects.filter(kind="compliance.possible_match", user=cast.mlro).exists()
    run = ListScreening.objects.get(version=version)
    assert (run.entry_count, run.hit_count, run.compared_count) == (1, 1, 1)
    assert (run.finished_at - version.imported_at).total_seconds() < 60


def test_the_same_entry_is_not_raised_twice(cast, tmp_path):
    load(tmp_path, KLARA)
    settle()
    hits.clear_hit(hit_id=Hit.objects.get().pk, actor=cast.kyc_officer, reason_code="document", reason="Passport seen")
    rescreening.screen_everybody()
    load(tmp_path, KLARA, OTHER)
    settle()
    assert Hit.objects.count() == 1 and queries.restrictions_of(cast.client) == frozenset()


def test_a_changed_entry_is_compared_again_and_the_hold_never_lapses(cast, tmp_path):
    load(tmp_path, KLARA)
    settle()
    load(tmp_path, {**KLARA, "country": "France"})
    settle()
    assert list(Hit.objects.order_by("pk").values_list("state", flat=True)) == [HitState.OUTDATED, HitState.OPEN]
    assert queries.restrictions_of(cast.client)
    assert Restriction.objects.filter(lifted_at__isnull=True).count() == 1


def test_a_removed_entry_lets_go_of_the_client_and_tells_the_officers(cast, tmp_path):
    load(tmp_path, KLARA, OTHER)
    settle()
    load(tmp_path, {"id": "101", **OTHER})
    settle()
    assert Hit.objects.get().state == HitState.OUTDATED
    assert queries.restrictions_of(cast.client) == frozenset()
    assert Restriction.objects.get().lift_reason == "The entry was removed from its list."
    assert AuditEvent.objects.filter(action="compliance.restriction_lifted", client_id=cast.client.pk).count() == 1
    assert {row.user for row in Notification.objects.filter(kind="compliance.delisted")} == {
        cast.kyc_officer,
        cast.mlro,
    }
    assert ListScreening.objects.order_by("-pk")[0].outdated_count == 1


def test_a_confirmed_match_stays_frozen_when_delisted_and_the_officers_are_asked(cast, tmp_path):
    load(tmp_path, KLARA, OTHER)
    settle()
    confirm_match(Hit.objects.get(), cast)
    load(tmp_path, {"id": "101", **OTHER})
    settle()
    assert Hit.objects.get().state == HitState.CONFIRMED and queries.restrictions_of(cast.client)
    assert Notification.objects.filter(kind="compliance.delisted", user=cast.mlro).exists()


def test_an_entry_listed_again_unchanged_is_raised_again(cast, tmp_path):
    for people in ([KLARA, OTHER], [OTHER], [KLARA, OTHER]):
        load(tmp_path, *people)
        settle()
    assert list(Hit.objects.order_by("pk").values_list("state", flat=True)) == [HitState.OUTDATED, HitState.OPEN]
    assert "frozen" in queries.restrictions_of(cast.client)


def test_an_entry_changed_back_keeps_the_client_held(cast, tmp_path):
    for country in ("Germany", "France", "Germany"):
        load(tmp_path, {**KLARA, "country": country})
        settle()
    assert list(Hit.objects.order_by("pk").values_list("state", flat=True)) == [HitState.OUTDATED] * 2 + [HitState.OPEN]
    assert "frozen" in queries.restrictions_of(cast.client)


def test_an_old_name_taken_back_is_raised_again(cast, tmp_path):
    load(tmp_path, KLARA)
    settle()
    for name in ("Ingeborg", cast.client.first_name):
        Client.objects.filter(pk=cast.client.pk).update(first_name=name)
        screening.screen_client(client_id=cast.client.pk, trigger="profile")
    assert list(Hit.objects.order_by("pk").values_list("state", flat=True)) == [HitState.OUTDATED, HitState.OPEN]
    assert "frozen" in queries.restrictions_of(cast.client)


@pytest.mark.parametrize("state", [HitState.FALSE_POSITIVE, HitState.CONFIRMED, HitState.OPEN])
def test_decisions_outlive_a_new_version_of_the_matcher(cast, tmp_path, monkeypatch, state):
    load(tmp_path, KLARA)
    settle()
    hit = Hit.objects.get()
    if state == HitState.FALSE_POSITIVE:
        hits.clear_hit(hit_id=hit.pk, actor=cast.kyc_officer, reason_code="document", reason="Passport seen")
    elif state == HitState.CONFIRMED:
        confirm_match(hit, cast)
    for module in (matching, screening, rescreening):
        monkeypatch.setattr(module, "VERSION", "2999.1")
    assert screening.screen_client(client_id=cast.client.pk, trigger="demand").known_count == 1
    assert rescreening.screen_everybody().hit_count == 0
    assert Hit.objects.get().state == state


def test_a_client_without_a_name_is_counted_and_keeps_nobody_else_from_being_screened(cast, tmp_path):
    first = Client.objects.exclude(stage__in=["lead", "closed"]).order_by("pk")[0]
    nameless = cast.other_client if first == cast.client else first
    Client.objects.filter(pk=nameless.pk).update(first_name="", last_name="")
    load(tmp_path, KLARA)
    run = rescreening.screen_everybody()
    assert run.nameless_count == 1 and run.hit_count == 1
    assert run.version is None and run.lists[0]["source"] == "un"


def test_a_new_name_is_found_by_the_next_list(cast, tmp_path):
    load(tmp_path, OTHER)
    settle()
    Client.objects.filter(pk=cast.client.pk).update(first_name="Владимир", last_name="Петров")
    load(tmp_path, OTHER, {"first": "Vladimir", "second": "Petrov"})
    settle()
    assert Hit.objects.get().entry.primary_name == "Vladimir Petrov"
    assert ClientKeys.objects.get(client=cast.client).text == "Владимир Петров"


def test_the_work_follows_the_change_and_not_the_number_of_clients(cast, tmp_path):
    load(tmp_path, OTHER)
    settle()
    version = load(tmp_path, OTHER, {"first": "Nobody", "second": "Atall"})
    with CaptureQueriesContext(connection) as queries_made:
        rescreening.screen_version(version.pk)
    assert len(queries_made) <= 26
    assert not Screening.objects.exists()


def test_a_run_ends_after_its_start(cast):
    now = timezone.now()
    with pytest.raises(IntegrityError, match="list_screening_ends_after_its_start"), transaction.atomic():
        ListScreening.objects.create(
            started_at=now, finished_at=now - dt.timedelta(seconds=1), client_count=0, entry_count=0
        )
