"""Putting people on the watchlist and taking them off before the time."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from crm.choices import Role
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, User
from crm.security import audit
from monitoring import watchlist
from monitoring.choices import WatchKind
from monitoring.models import Watch
from tests.cast import make_staff
from tests.monitoring.factories import DAY

pytestmark = pytest.mark.django_db
LAST = DAY + dt.timedelta(days=9)


def put(cast, *, agent=None, actor=None, from_on=DAY, to_on=LAST, reason="notice given") -> Watch:
    return watchlist.watch(
        agent_id=(agent or cast.agent).pk,
        kind=WatchKind.NOTICE,
        from_on=from_on,
        to_on=to_on,
        reason=reason,
        actor=actor or cast.desk_head,
    )


def test_a_watch_is_kept_with_who_when_and_why(cast):
    row = put(cast, reason="  notice given ")
    assert (row.agent, row.made_by, row.reason, row.ended_at) == (cast.agent, cast.desk_head, "notice given", None)
    event = AuditEvent.objects.get(action="monitoring.watch_started")
    assert audit.body_of(event)["after"] == {
        "agent": cast.agent.pk,
        "kind": "notice",
        "from": "2026-09-10",
        "to": "2026-09-19",
    }


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_watch_needs_its_reason(cast, reason):
    with pytest.raises(DomainError, match="Enter a reason"):
        put(cast, reason=reason)
    assert not Watch.objects.exists()


@pytest.mark.parametrize(("days", "is_possible"), [(-1, False), (0, True), (1, True)])
def test_a_watch_lasts_at_least_its_first_day(cast, days, is_possible):
    if is_possible:
        put(cast, to_on=DAY + dt.timedelta(days=days))
    else:
        with pytest.raises(DomainError, match="before the start date"):
            put(cast, to_on=DAY + dt.timedelta(days=days))
    assert Watch.objects.count() == is_possible


@pytest.mark.parametrize(
    ("first", "last", "overlaps"), [(-9, -1, False), (-9, 0, True), (3, 4, True), (9, 12, True), (10, 12, False)]
)
def test_two_watches_of_one_person_do_not_share_a_day(cast, first, last, overlaps):
    put(cast)
    days = {"from_on": DAY + dt.timedelta(days=first), "to_on": DAY + dt.timedelta(days=last)}
    if overlaps:
        with pytest.raises(WrongState, match="already"):
            put(cast, **days)
    else:
        put(cast, **days)
    put(cast, agent=cast.other_agent, actor=cast.mlro, **days)
    assert Watch.objects.filter(agent=cast.agent).count() == 2 - overlaps


@pytest.mark.parametrize("who", ["agent", "retention", "finance", "auditor", "administrator"])
def test_other_roles_put_nobody_on_the_list(cast, who):
    with pytest.raises(NotAllowed):
        put(cast, agent=cast.other_agent, actor=getattr(cast, who))
    assert not Watch.objects.exists()


def test_only_staff_can_be_watched(cast):
    with pytest.raises(User.DoesNotExist):
        put(cast, agent=cast.client_user, actor=cast.mlro)


def test_ending_a_watch_twice_is_refused(cast):
    row = put(cast)
    watchlist.end_watch(watch_id=row.pk, actor=cast.mlro, reason="stays")
    row.refresh_from_db()
    ended_at = row.ended_at
    with pytest.raises(WrongState, match="already ended"):
        watchlist.end_watch(watch_id=row.pk, actor=cast.desk_head, reason="again")
    row.refresh_from_db()
    assert ended_at is not None and row.ended_at == ended_at
    assert AuditEvent.objects.get(action="monitoring.watch_ended").actor_id == cast.mlro.pk


def test_a_head_of_another_desk_ends_no_watch_here(cast, browse):
    row = put(cast)
    other = make_staff(
        "h@meridian.example", Role.DESK_HEAD, brand=cast.brand, desk=cast.other_desk, reaches=cast.other_desk
    )
    with pytest.raises(NotAllowed, match="desk"):
        watchlist.end_watch(watch_id=row.pk, actor=other, reason="x")
    browser = browse(other)
    assert browser.post(reverse("monitoring_watch", args=[row.pk]), {"reason": "x"}).status_code == 404
    assert "notice given" not in browser.get(reverse("monitoring_watchlist")).content.decode()
    row.refresh_from_db()
    assert row.ended_at is None


def test_the_watched_do_not_find_themselves_on_the_page(cast, browse):
    row = put(cast, agent=cast.desk_head, actor=cast.mlro)
    assert browse(cast.desk_head).get(reverse("monitoring_watch", args=[row.pk])).status_code == 404
    assert browse(cast.mlro).get(reverse("monitoring_watch", args=[row.pk])).status_code == 200


def test_the_form_offers_people_of_the_own_desk_only(cast, browse):
    gone = make_staff("gone@meridian.example", Role.AGENT, brand=cast.brand, desk=cast.desk, is_active=False)
    page = browse(cast.desk_head).get(reverse("monitoring_watch_new")).content.decode()
    assert f'value="{cast.agent.pk}"' in page
    for person in (cast.other_agent, cast.desk_head, gone):
        assert f'value="{person.pk}"' not in page


def test_the_form_refuses_people_of_another_desk(cast, browse):
    fields = {"kind": "notice", "from_on": "2026-09-01", "to_on": "2026-09-30", "reason": "kept words"}
    response = browse(cast.desk_head).post(
        reverse("monitoring_watch_new"), {**fields, "agent": str(cast.other_agent.pk)}
    )
    assert "kept words" in response.content.decode() and not Watch.objects.exists()


@pytest.mark.parametrize(("length", "is_kept"), [(200, True), (201, False)])
def test_a_watchs_reason_has_up_to_200_letters(cast, browse, length, is_kept):
    fields = {"agent": cast.agent.pk, "kind": "notice", "from_on": "2026-09-01", "to_on": "2026-09-30"}
    browse(cast.desk_head).post(reverse("monitoring_watch_new"), {**fields, "reason": "w" * length})
    assert Watch.objects.exists() is is_kept


def test_an_ended_watch_shows_no_form(cast, browse):
    row = put(cast)
    browser = browse(cast.desk_head)
    address = reverse("monitoring_watch", args=[row.pk])
    assert 'name="reason"' in browser.get(address).content.decode()
    assert 'name="reason"' in browser.post(address, {"reason": ""}).content.decode()
    watchlist.end_watch(watch_id=row.pk, actor=cast.desk_head, reason="stays")
    assert 'name="reason"' not in browser.get(address).content.decode()


def test_the_agents_page_shows_the_watch_to_those_who_may(cast, browse):
    put(cast)
    address = reverse("monitoring_agent", args=[cast.agent.pk])
    assert "notice given" in browse(cast.desk_head).get(address).content.decode()
    assert "notice given" not in browse(cast.auditor).get(address).content.decode()


def test_the_database_keeps_the_watchlist_honest(cast):
    fields = {"agent": cast.agent, "kind": "notice", "reason": "x", "from_on": DAY, "made_by": cast.mlro}
    for name, wrong in (
        ("watch_ends_after_it_starts", {"to_on": DAY - dt.timedelta(days=1)}),
        ("nobody_watches_themselves", {"to_on": DAY, "made_by": cast.agent}),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Watch.objects.create(**{**fields, **wrong})
