"""Becoming a sub-partner through a partner's link: nothing is earned and nobody signs in before staff approve."""

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from crm.models import AuditEvent, Notification, OutgoingMail
from ib import engine, partners
from ib.choices import PartnerState
from ib.links import switch_link
from ib.models import Accrual, Partner
from leads import guard
from tests.ib.factories import make_trade, refer
from tests.ib.test_pages import text_of

pytestmark = pytest.mark.django_db


def send(browser, link, **changes):
    with time_machine.travel(timezone.now() - timezone.timedelta(seconds=30)):
        stamp = guard.new_stamp()
    data = {"name": "Nordlicht", "email": "n@nordlicht.example", "agrees": "on", "stamp": stamp, **changes}
    return browser.post(reverse("partner_join", args=[link.code]), data)


def test_an_applicant_awaits_approval_below_the_inviter(network, cast, browse):
    answer = send(browse(None), network.sub.referral_links.get())
    partner = Partner.objects.get(name="Nordlicht")
    assert "Thank you" in text_of(answer) and partner.state == "pending" and partner.spells.count() == 0
    assert partner.links_up.get().parent == network.sub and not partner.user.has_usable_password()
    assert AuditEvent.objects.filter(action="ib.partner_applied", target_id=str(partner.pk)).exists()
    assert Notification.objects.filter(kind="ib.partner_applied", user=cast.ib_manager).exists()
    assert not OutgoingMail.objects.filter(kind="ib.invitation").exists()


def test_an_applicant_earns_nothing_until_activated(network, cast, browse):
    send(browse(None), network.sub.referral_links.get())
    partner = Partner.objects.get(name="Nordlicht")
    refer(cast.other_client, partner)
    from tests.ib.factories import make_account

    deal = make_trade(make_account(cast.other_client))
    engine.run_for_deals(deal_ids=[deal])
    assert Accrual.objects.get(deal_id=deal, partner=partner).reason == "partner_not_active"


def test_activating_an_applicant_sends_the_invitation(network, cast, browse):
    send(browse(None), network.sub.referral_links.get())
    partner = Partner.objects.get(name="Nordlicht")
    browse(cast.ib_manager).post(reverse("ib_partner_state", args=[partner.pk, "active"]), {"reason": "Known firm"})
    partner.refresh_from_db()
    assert partner.state == "active" and partner.spells.count() == 1
    assert OutgoingMail.objects.filter(kind="ib.invitation").count() == 1


def test_a_known_address_gets_the_same_answer_and_nothing_is_kept(network, browse):
    before = Partner.objects.count()
    answer = send(browse(None), network.sub.referral_links.get(), email=network.top.user.email)
    assert "Thank you" in text_of(answer) and Partner.objects.count() == before


@pytest.mark.parametrize("changes", [{guard.HONEYPOT: "x"}, {"stamp": "forged"}, {"stamp": ""}])
def test_a_robot_is_thanked_and_nothing_is_kept(network, browse, changes):
    send(browse(None), network.sub.referral_links.get(), **changes)
    assert not Partner.objects.filter(name="Nordlicht").exists()


def test_inactive_links_and_blocked_partners_invite_nobody(network, cast, browse):
    link = network.sub.referral_links.get()
    switch_link(link_id=link.pk, is_active=False, actor=None)
    assert send(browse(None), link).status_code == 302
    partners.change_state(partner_id=network.top.pk, to=PartnerState.BLOCKED, actor=cast.ib_manager, reason="x")
    assert send(browse(None), network.top.referral_links.get()).status_code == 302
    assert not Partner.objects.filter(name="Nordlicht").exists()
    assert "Invite a sub-partner" not in text_of(browse(network.sub.user).get(reverse("partner_network")))


def test_the_network_page_offers_the_link(network, browse):
    page = browse(network.sub.user).get(reverse("partner_network"))
    assert f"/partners/join/{network.sub.code}/" in page.content.decode()
