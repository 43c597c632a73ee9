"""Limits on an agent's access: refused with the plain reason, with a notice and an end, by one gate."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from clients import contacts
from crm import due
from crm.choices import StaffLimitKind
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent, DueRow, Notification, StaffLimit, User
from crm.security.staff_limits import limits_of
from monitoring.responses.limits import DAYS_MAX, ENDING, end_limit, impose_limit
from tests.monitoring.factories import make_alert

pytestmark = pytest.mark.django_db


def limit(agent, actor, kind=StaffLimitKind.EXPORTS, days=7, reason="While we review Thursday", **more):
    until_on = timezone.now().date() + dt.timedelta(days=days)
    return impose_limit(agent_id=agent.pk, kind=kind, until_on=until_on, reason=reason, actor=actor, **more)


def over(row: StaffLimit) -> None:
    now = timezone.now()
    StaffLimit.objects.filter(pk=row.pk).update(
        from_at=now - dt.timedelta(days=2), until_at=now - dt.timedelta(minutes=1)
    )


def test_suspended_exports_are_refused_until_their_end(cast, browse):
    browser = browse(cast.desk_head)
    address = reverse("clients") + "?export=csv"
    assert browser.get(address).status_code == 200
    row = limit(cast.desk_head, cast.mlro)
    refused = browser.get(address)
    assert refused.status_code == 403 and "While we review Thursday" in refused.content.decode()
    assert AccessEvent.objects.filter(user=cast.desk_head, kind="export").count() == 1
    kept = AccessEvent.objects.get(user=cast.desk_head, kind="refused")
    assert kept.target == "export:table:clients.csv" and kept.reason.startswith("exports") and kept.session
    assert (
        "Refused in 30 days"
        in browse(cast.mlro).get(reverse("monitoring_agent", args=[cast.desk_head.pk])).content.decode()
    )
    over(row)
    assert browser.get(address).status_code == 200


def test_the_cap_of_reveals_counts_the_day_and_ends(cast):
    row = limit(cast.agent, cast.desk_head, StaffLimitKind.REVEALS, per_day=2)
    for _time in range(2):
        contacts.reveal(client=cast.client, actor=cast.agent, reason="Call back")
    with pytest.raises(NotAllowed, match=r"You may reveal 2 contacts a day until .*: While we review Thursday"):
        contacts.reveal(client=cast.client, actor=cast.agent, reason="Call back")
    kept = AccessEvent.objects.get(user=cast.agent, kind="refused")
    assert (kept.target.partition(":")[0], kept.client_id, kept.reason) == (
        "reveal",
        cast.client.pk,
        "reveals: Call back",
    )
    assert contacts.reveal(client=cast.client, actor=cast.desk_head, reason="Call back")
    end_limit(limit_id=row.pk, actor=cast.desk_head, reason="Explained")
    assert contacts.reveal(client=cast.client, actor=cast.agent, reason="Call back")


def test_masked_details_come_back_at_the_end(cast):
    def sees(user):
        return User.objects.get(pk=user.pk).has_perm("crm.see_unmasked_contacts")

    officer = cast.kyc_officer
    assert sees(officer)
    row = limit(officer, cast.mlro, StaffLimitKind.MASKED)
    assert not sees(officer) and sees(cast.mlro)
    over(row)
    assert sees(officer)


def test_who_they_are_is_confirmed_before_the_next_export(cast, browse):
    browser = browse(cast.desk_head)
    limit(cast.desk_head, cast.mlro, StaffLimitKind.STEP_UP)
    answer = browser.get(reverse("clients") + "?export=csv")
    assert answer.status_code == 302 and "reauthenticate" in answer["Location"]
    assert not AccessEvent.objects.filter(user=cast.desk_head, kind="export").exists()


def test_the_agent_is_notified_at_the_beginning_and_the_end(cast, browse):
    alert = make_alert(cast.agent)
    address = reverse("monitoring_limit_new", args=[cast.agent.pk]) + f"?alert={alert.pk}"
    day = timezone.now().date() + dt.timedelta(days=3)
    done = browse(cast.desk_head).post(
        address, {"kind": "exports", "until_on": day.isoformat(), "reason": "Until Monday's talk"}
    )
    row = StaffLimit.objects.get()
    assert done["Location"] == alert.get_absolute_url() and row.reference == f"monitoring.alert:{alert.pk}"
    assert Notification.objects.get(user=cast.agent).body == "Until Monday's talk"
    for page in (reverse("monitoring_me"), alert.get_absolute_url()):
        reader = cast.agent if page == reverse("monitoring_me") else cast.desk_head
        assert "Until Monday&#x27;s talk" in browse(reader).get(page).content.decode()
    over(row)
    past = timezone.now() - dt.timedelta(minutes=1)
    DueRow.objects.filter(kind="monitoring.limit", key=row.pk).update(at=past, next_at=past)
    due.sweep(kinds=[ENDING])
    assert (
        Notification.objects.filter(user__in=[cast.agent, cast.desk_head], title__contains="Limit ended").count() == 2
    )
    assert not limits_of(cast.agent).exists()


def test_who_may_set_and_end_one(cast, browse):
    for other in (cast.agent, cast.other_agent, cast.finance, cast.auditor):
        with pytest.raises(NotAllowed):
            limit(cast.agent, other)
    for wrong in ({"days": -1}, {"days": DAYS_MAX + 2}, {"reason": " "}, {"kind": StaffLimitKind.REVEALS}):
        with pytest.raises(DomainError):
            limit(cast.agent, cast.desk_head, **wrong)
    row = limit(cast.agent, cast.desk_head)
    with pytest.raises(WrongState, match="already has this limit"):
        limit(cast.agent, cast.mlro)
    with pytest.raises(NotAllowed):
        end_limit(limit_id=row.pk, actor=cast.agent, reason="I want to export")
    browse(cast.mlro).post(reverse("monitoring_limit", args=[row.pk]), {"reason": "Explained"})
    row.refresh_from_db()
    assert (row.ended_by, row.end_reason) == (cast.mlro, "Explained")
    with pytest.raises(WrongState):
        end_limit(limit_id=row.pk, actor=cast.mlro, reason="Again")
