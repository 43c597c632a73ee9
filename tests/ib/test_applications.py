"""Becoming a partner: apply on the website, in the portal or through a link; two people approve; before that nothing is earned."""

import hashlib

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from crm import approvals
from crm.accounts import login_name
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification, OutgoingMail
from ib import engine, partners
from ib.applications import agreement
from ib.applications.applying import link_own_record
from ib.applications.approving import propose_approval, reject_application, verification_missing
from ib.choices import PartnerState
from ib.links import switch_link
from ib.models import Accrual, AgreementFile, Partner, PartnerApplication, PartnerPlan
from leads import guard
from tests.brand_policies import set_policies
from tests.ib.factories import applied, make_account, make_partner, make_trade, make_version, refer
from tests.ib.test_pages import text_of

pytestmark = pytest.mark.django_db
ANSWERS = {"kind": "company", "country": "DE", "channels": "Seminars", "clients_per_month": "some", "currency": "EUR"}


def send(browser, address, **changes):
    with time_machine.travel(timezone.now() - timezone.timedelta(seconds=30)):
        stamp = guard.new_stamp()
    shown = browser.get(address)
    sha256 = shown.context["wording"].sha256 if shown.context and "wording" in shown.context else ""
    data = {**ANSWERS, "name": "Nordlicht", "email": "n@nordlicht.example", "agrees": "on", "sha256": sha256}
    return browser.post(address, {**data, "stamp": stamp, **changes})


def join(partner) -> str:
    return reverse("partner_join", args=[partner.referral_links.get().code])


def verified(client):
    client.kyc_level = 3
    client.save(update_fields=["kyc_level"])
    return client


def test_an_applicant_awaits_approval_below_the_inviter(network, cast, browse):
    answer = send(browse(None), join(network.sub))
    partner = Partner.objects.get(name="Nordlicht")
    assert "Thank you" in text_of(answer) and partner.state == "pending" and partner.spells.count() == 0
    assert partner.links_up.get().parent == network.sub and not partner.user.has_usable_password()
    assert partner.application.source == "invite" and partner.application.channels == "Seminars"
    assert AuditEvent.objects.filter(action="ib.agreement_accepted", target_id=str(partner.pk)).exists()
    assert Notification.objects.filter(kind="ib.partner_applied", user=cast.ib_manager).exists()
    assert set(OutgoingMail.objects.values_list("kind", flat=True)) == {"ib.application_received"}
    refer(cast.other_client, partner)
    deal = make_trade(make_account(cast.other_client))
    engine.run_for_deals(deal_ids=[deal])
    assert Accrual.objects.get(deal_id=deal, partner=partner).reason == "partner_not_active"
    # The same again, and a partner's address: the same answer, and nothing is kept.
    for email in ("n@nordlicht.example", network.top.user.email):
        assert "Thank you" in text_of(send(browse(None), join(network.sub), email=email))
    assert PartnerApplication.objects.count() == 1


def test_the_website_takes_applications_while_the_brand_does(cast, browse):
    address = reverse("partner_apply", args=[cast.brand.code])
    page = browse(None).get(address)
    assert "Partner agreement" in text_of(page) and "30 days' notice" in page.context["wording"].body
    assert "has changed" in text_of(send(browse(None), address, sha256="0" * 64))
    assert send(browse(None), address, channels="x" * 10_000).status_code == 422
    for changes in ({guard.HONEYPOT: "x"}, {"stamp": "forged"}, {"stamp": ""}):
        send(browse(None), address, **changes)
    assert not Partner.objects.filter(name="Nordlicht").exists()
    assert "Thank you" in text_of(send(browse(None), address))
    assert Partner.objects.get(name="Nordlicht").application.source == "website"
    set_policies(cast.brand, partner_applications=False)
    assert "aren't taking" in text_of(browse(None).get(address))


def test_a_client_applies_once_from_the_portal(cast, browse):
    browser, address = browse(cast.client.user), reverse("portal_partner")
    sha256 = browser.get(address).context["wording"].sha256
    answer = browser.post(address, {**ANSWERS, "sha256": sha256, "agrees": "on"})
    partner = Partner.objects.get(client=cast.client)
    assert "Thank you" in text_of(answer) and partner.name == cast.client.full_name
    assert partner.user != cast.client.user and partner.user.email == cast.client.email
    login = {
        for_partners: login_name(brand=cast.brand, email=cast.client.email, for_partners=for_partners)
        for for_partners in (True, False)
    }
    assert login == {True: partner.user.username, False: cast.client.user.username}
    browser.post(address, {**ANSWERS, "sha256": sha256, "agrees": "on"})
    assert PartnerApplication.objects.count() == 1
    with pytest.raises(DomainError, match="already"):
        applied(cast, client=cast.client)


def test_the_accepted_agreement_is_kept_as_pdf(cast, browse):
    partner = applied(cast)
    file = agreement.make_file(partner.pk)
    assert bytes(file.content).startswith(b"%PDF") and file.sha256 == hashlib.sha256(file.content).hexdigest()
    assert agreement.make_file(partner.pk) == file and AgreementFile.objects.count() == 1
    page = browse(cast.ib_manager).get(reverse("ib_partner_agreement", args=[partner.pk]))
    assert page["Content-Type"] == "application/pdf" and page.content == bytes(file.content)
    Partner.objects.filter(pk=partner.pk).update(state=PartnerState.ACTIVE)
    own = browse(partner.user)
    assert reverse("partner_agreement") in own.get(reverse("partner_payouts")).content.decode()
    assert own.get(reverse("partner_agreement")).content == bytes(file.content)
    assert browse(make_partner(cast.brand).user).get(reverse("partner_agreement")).status_code == 404


def test_two_people_approve_a_verified_applicant(cast, browse):
    partner, version = applied(cast), make_version(cast.brand, cast.ib_manager, cast.finance)
    ask = {"partner_id": partner.pk, "plan_id": version.plan_id, "reason": "Known", "actor": cast.ib_manager}
    with pytest.raises(WrongState, match="no client record"):
        propose_approval(**ask)
    with pytest.raises(WrongState, match="Two people"):
        partners.change_state(partner_id=partner.pk, to=PartnerState.ACTIVE, actor=cast.ib_manager, reason="x")
    cast.other_client.email = "N@nordlicht.example"
    cast.other_client.save(update_fields=["email"])
    assert link_own_record(client=cast.other_client) == partner and link_own_record(client=cast.other_client) is None
    with pytest.raises(WrongState, match="isn't verified"):
        propose_approval(**ask)
    verified(cast.other_client)
    with pytest.raises(NotAllowed):
        propose_approval(**{**ask, "actor": cast.agent})
    firm = applied(cast, kind="company", name="Firm", email="firm@nordlicht.example")
    firm.client = cast.other_client
    assert "applied as a company" in verification_missing(firm)
    cast.other_client.kind = "company"
    assert verification_missing(firm) == ""
    browser = browse(cast.ib_manager)
    browser.post(
        reverse("ib_partner_approve", args=[partner.pk]), {"plan": version.plan_id, "percent": "80", "reason": "Known"}
    )
    item = partner.approvals.get()
    assert "Awaiting second approval" in text_of(browser.get(partner.get_absolute_url()))
    with pytest.raises(WrongState, match="Withdraw it first"):
        reject_application(partner_id=partner.pk, reason="x", actor=cast.ib_manager)
    with pytest.raises(NotAllowed):
        approvals.approve(type(item), item.pk, actor=cast.ib_manager)
    approvals.approve(type(item), item.pk, actor=cast.finance)
    partner.refresh_from_db()
    held = PartnerPlan.objects.get(partner=partner)
    assert (partner.state, partner.spells.count()) == ("active", 1)
    assert (held.plan_id, held.percent) == (version.plan_id, 80)
    assert OutgoingMail.objects.filter(kind="ib.invitation").count() == 1


def test_a_rejected_applicant_is_informed_without_the_reason(cast, browse):
    partner = applied(cast)
    browse(cast.ib_manager).post(reverse("ib_partner_reject", args=[partner.pk]), {"reason": "Bought clicks before"})
    partner.refresh_from_db()
    assert partner.state == "closed"
    letter = OutgoingMail.objects.get(kind="ib.application_rejected")
    assert "Bought" not in letter.subject
    with pytest.raises(WrongState):
        reject_application(partner_id=partner.pk, reason="x", actor=cast.ib_manager)


def test_inactive_links_and_blocked_partners_invite_nobody(network, cast, browse):
    address, link = join(network.sub), network.sub.referral_links.get()
    switch_link(link_id=link.pk, is_active=False, actor=None)
    assert send(browse(None), address).status_code == 302
    partners.change_state(partner_id=network.top.pk, to=PartnerState.BLOCKED, actor=cast.ib_manager, reason="x")
    assert send(browse(None), join(network.top)).status_code == 302
    assert not Partner.objects.filter(name="Nordlicht").exists()
    assert "Invite a sub-partner" not in text_of(browse(network.sub.user).get(reverse("partner_network")))


def test_the_pages_offer_the_link_and_the_list(network, cast, browse, django_assert_max_num_queries):
    page = browse(network.master.user).get(reverse("partner_network"))
    assert f"/partners/join/{network.master.code}/" in page.content.decode()
    applied(cast)
    browser = browse(cast.ib_manager)
    browser.get(reverse("ib_applications"))
    with django_assert_max_num_queries(20):
        page = browser.get(reverse("ib_applications"))
    assert "Nordlicht" in text_of(page)
