"""A partner leaves with a date: active until the end of the last day by the brand's calendar, closed after it."""

import datetime as dt

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from crm.brand_policies.registry import today
from crm.due.sweep import sweep
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import DueRow, Notification
from ib.agreements.leaving import set_last_day
from tests.ib.test_pages import text_of

pytestmark = pytest.mark.django_db


def test_a_partner_leaves_after_their_last_day(network, cast, browse):
    partner, last = network.sub, today(cast.brand) + dt.timedelta(days=3)
    for day, actor, error in (
        (today(cast.brand) - dt.timedelta(days=1), cast.ib_manager, DomainError),
        (today(cast.brand) + dt.timedelta(days=400), cast.ib_manager, DomainError),
        (last, partner.user, NotAllowed),
    ):
        with pytest.raises(error):
            set_last_day(partner_id=partner.pk, on=day, reason="Notice given", actor=actor)
    browser, address = browse(cast.ib_manager), reverse("ib_partner_leaving", args=[partner.pk])
    browser.post(address, {"on": last.isoformat(), "reason": "Notice given"})
    partner.refresh_from_db()
    assert (partner.last_day, partner.state) == (last, "active")
    assert Notification.objects.filter(user=partner.user, kind="ib.partner_leaves").count() == 1
    assert "Your partnership ends" in text_of(browse(partner.user).get(reverse("partner_home")))
    browser.post(address, {"on": "", "reason": "They stay"})
    assert not DueRow.objects.filter(kind="ib.partner_leaves", done_at=None).exists()
    set_last_day(partner_id=partner.pk, on=last, reason="Notice given", actor=cast.ib_manager)
    sweep()
    partner.refresh_from_db()
    assert partner.state == "active"
    with time_machine.travel(timezone.now() + dt.timedelta(days=5)):
        sweep()
    partner.refresh_from_db()
    assert partner.state == "closed" and partner.spells.get().ends_at is not None
    with pytest.raises(WrongState):
        set_last_day(partner_id=partner.pk, on=None, reason="Back", actor=cast.ib_manager)
