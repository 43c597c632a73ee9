import pytest
from django.db import IntegrityError, transaction

from clients.models import TimelineEntry
from crm import approvals, events
from crm.errors import DomainError, NotAllowed, WrongState
from ib import attribution, links, partners, queries
from ib.applications.approving import propose_approval
from ib.choices import PartnerState
from ib.models import Attribution, Partner, PartnerSpell, ReferralDay, ReferralLink
from tests.ib.factories import LONG_AGO, applied, make_partner, make_version, refer
from tests.outbox import data_of, published

pytestmark = pytest.mark.django_db


def registered(cast, code, client=None):
    client = client or cast.client
    with transaction.atomic():
        events.publish(
            events.ClientRegistered(
                client_id=client.pk, brand_id=client.brand_id, user_id=client.user_id, referral_code=code
            )
        )
    events.drain()
    return Attribution.objects.filter(client=client, ends_at__isnull=True).first()


def test_a_new_partner_has_a_sign_in_a_link_and_is_active(cast):
    partner = partners.register_partner(
        brand=cast.brand,
        details=partners.PartnerDetails(name="Nordlicht", email=" Info@Nordlicht.example ", currency="EUR"),
        actor=cast.ib_manager,
    )
    assert partner.user.username == "meridian:partners/info@nordlicht.example" and partner.user.is_partner
    assert not partner.user.has_usable_password()
    assert partner.referral_links.get().code == partner.code
    assert PartnerSpell.objects.filter(partner=partner, ends_at__isnull=True).exists()


def test_an_address_is_one_partner_login_at_a_brand_beside_a_clients(cast):
    def register(brand, email):
        details = partners.PartnerDetails(name="X", email=email, currency="EUR")
        return partners.register_partner(brand=brand, details=details, actor=None)

    first = register(cast.brand, "clara@example.com")
    assert first.user != cast.client_user and first.user.email == cast.client_user.email
    for again in ("clara@example.com", " Clara@Example.COM "):
        with pytest.raises(DomainError, match="already a login"):
            register(cast.brand, again)
        with pytest.raises(DomainError, match="already a login"):
            partners.register_applicant(
                brand=cast.brand, details=partners.PartnerDetails(name="X", email=again, currency="EUR")
            )
    assert Partner.objects.get() == first and register(cast.other_brand, "clara@example.com").brand == cast.other_brand


def test_an_agent_registers_no_partners(cast):
    details = partners.PartnerDetails(name="X", email="x@x.example", currency="EUR")
    with pytest.raises(NotAllowed):
        partners.register_partner(brand=cast.brand, details=details, actor=cast.agent)


def test_blocking_ends_the_spell_and_unblocking_starts_another(cast):
    partner = make_partner(cast.brand)
    partners.change_state(partner_id=partner.pk, to=PartnerState.BLOCKED, actor=cast.ib_manager, reason="self-referral")
    partners.change_state(partner_id=partner.pk, to=PartnerState.ACTIVE, actor=cast.ib_manager, reason="cleared")
    spells = PartnerSpell.objects.filter(partner=partner).order_by("starts_at")
    assert [spell.ends_at is None for spell in spells] == [False, True]


def test_a_closed_partner_stays_closed(cast):
    partner = make_partner(cast.brand)
    partners.change_state(partner_id=partner.pk, to=PartnerState.CLOSED, actor=cast.ib_manager, reason="left")
    with pytest.raises(WrongState):
        partners.change_state(partner_id=partner.pk, to=PartnerState.ACTIVE, actor=cast.ib_manager, reason="")


def test_a_registration_with_a_code_belongs_to_its_partner_and_counts(cast):
    partner = make_partner(cast.brand)
    found = registered(cast, partner.code.upper())
    assert (found.partner, found.method, found.link.code) == (partner, "link", partner.code)
    assert ReferralDay.objects.get().registrations == 1
    assert TimelineEntry.objects.filter(client=cast.client, kind="partner").count() == 1


def test_the_first_referral_counts(cast):
    first, second = make_partner(cast.brand), make_partner(cast.brand)
    registered(cast, first.code)
    assert registered(cast, second.code).partner == first


@pytest.mark.parametrize("case", ["unknown", "switched off", "blocked", "other brand", "themselves"])
def test_a_code_that_does_not_count_refers_nobody(cast, case):
    partner = make_partner(cast.other_brand if case == "other brand" else cast.brand)
    if case == "switched off":
        links.switch_link(link_id=partner.referral_links.get().pk, is_active=False, actor=cast.ib_manager)
    if case == "blocked":
        partners.change_state(partner_id=partner.pk, to=PartnerState.BLOCKED, actor=cast.ib_manager, reason="")
    if case == "themselves":
        partner.client = cast.client
        partner.save(update_fields=["client"])
    assert registered(cast, "nobody" if case == "unknown" else partner.code) is None


def test_one_open_attribution_per_client_is_held_by_the_database(cast):
    first, second = make_partner(cast.brand), make_partner(cast.brand)
    refer(cast.client, first)
    with pytest.raises(IntegrityError, match="attribution"), transaction.atomic():
        Attribution.objects.create(client=cast.client, partner=second, method="manual", starts_at=LONG_AGO)


def test_a_client_moves_to_another_partner_and_the_past_stays(cast):
    first, second = make_partner(cast.brand), make_partner(cast.brand)
    refer(cast.client, first)
    attribution.attribute_client(
        client_id=cast.client.pk, partner_id=second.pk, actor=cast.ib_manager, reason="agreed by both"
    )
    rows = Attribution.objects.filter(client=cast.client).order_by("starts_at")
    assert [(row.partner, row.ends_at is None) for row in rows] == [(first, False), (second, True)]


def test_nobody_refers_themselves(cast):
    partner = make_partner(cast.brand, client=cast.client)
    with pytest.raises(DomainError, match="themselves"):
        attribution.attribute_client(client_id=cast.client.pk, partner_id=partner.pk, actor=cast.ib_manager)


def test_a_client_and_a_partner_of_two_brands_do_not_meet(cast):
    partner = make_partner(cast.other_brand)
    with pytest.raises(DomainError, match="different brands"):
        attribution.attribute_client(client_id=cast.client.pk, partner_id=partner.pk, actor=None)


def test_a_partner_sees_the_network_below_and_nothing_else(cast):
    top, stranger = make_partner(cast.brand), make_partner(cast.brand)
    sub = make_partner(cast.brand, parent=make_partner(cast.brand, parent=top))
    seen = set(queries.partners_visible_to(top.user))
    assert sub in seen and top in seen and stranger not in seen
    assert set(queries.partners_visible_to(sub.user)) == {sub}


def test_staff_see_partners_of_their_brand_those_they_manage_and_those_granted(cast):
    own, managed, granted, below = (
        make_partner(cast.brand),
        make_partner(cast.other_brand, manager=cast.agent),
        None,
        None,
    )
    granted = make_partner(cast.brand)
    below = make_partner(cast.brand, parent=granted)
    partners.grant_partner(user=cast.agent, partner_id=granted.pk, actor=None)
    assert set(queries.partners_visible_to(cast.ib_manager)) == {own, granted, below}
    assert set(queries.partners_visible_to(cast.agent)) == {managed, granted, below}
    partners.grant_partner(user=cast.agent, partner_id=granted.pk, actor=None, take_away=True)
    assert set(queries.partners_visible_to(cast.agent)) == {managed}
    assert not queries.partners_visible_to(cast.client_user).exists()


def test_nobody_grants_a_partner_that_they_do_not_see(cast):
    partner = make_partner(cast.other_brand)
    with pytest.raises(NotAllowed):
        partners.grant_partner(user=cast.agent, partner_id=partner.pk, actor=cast.administrator)


def test_clicks_are_counted_per_day_whoever_comes_at_once(cast):
    link = make_partner(cast.brand).referral_links.get()
    for _time in range(3):
        links.count(link, clicks=1)
    assert ReferralDay.objects.get(link=link).clicks == 3


def test_a_partner_makes_links_of_their_own_and_of_nobody_else(cast):
    partner, other = make_partner(cast.brand), make_partner(cast.brand)
    link = links.create_link(partner_id=partner.pk, campaign="Autumn", actor=partner.user)
    assert link.campaign == "Autumn" and len(link.code) == 8
    with pytest.raises(NotAllowed):
        links.create_link(partner_id=other.pk, campaign="", actor=partner.user)
    with pytest.raises(DomainError, match="taken"):
        links.create_link(partner_id=other.pk, campaign="", actor=cast.ib_manager, code=link.code)


def test_too_many_links_are_refused(cast, monkeypatch):
    monkeypatch.setattr(links, "LINKS_MAX", 2)
    partner = make_partner(cast.brand)
    links.create_link(partner_id=partner.pk, campaign="", actor=partner.user)
    with pytest.raises(DomainError, match="Deactivate one"):
        links.create_link(partner_id=partner.pk, campaign="", actor=partner.user)
    assert ReferralLink.objects.filter(partner=partner).count() == 2


def test_a_partners_life_is_published(cast):
    partner = make_partner(cast.brand)
    for to in (PartnerState.BLOCKED, PartnerState.ACTIVE, PartnerState.CLOSED):
        partners.change_state(partner_id=partner.pk, to=to, actor=cast.ib_manager, reason="why")
    assert data_of("ib.partner_created") == [{"partner_id": partner.pk, "state": "active"}]
    assert data_of("ib.partner_blocked") == [{"partner_id": partner.pk, "reason": "why"}]
    assert data_of("ib.partner_unblocked") == [{"partner_id": partner.pk}]
    assert data_of("ib.partner_closed") == [{"partner_id": partner.pk, "reason": "why"}]
    assert data_of("ib.partner_approved") == []


def test_the_approval_of_an_applicant_is_published(cast):
    partner = applied(cast, client=cast.other_client)
    cast.other_client.kyc_level = 3
    cast.other_client.save(update_fields=["kyc_level"])
    version = make_version(cast.brand, cast.ib_manager, cast.finance)
    item = propose_approval(partner_id=partner.pk, plan_id=version.plan_id, reason="Known", actor=cast.ib_manager)
    assert not published("ib.partner_approved"), "one person's word isn't enough"
    approvals.approve(type(item), item.pk, actor=cast.finance)
    (created,), (approved,) = published("ib.partner_created"), published("ib.partner_approved")
    assert (created.data["state"], created.actor.kind) == ("pending", "system")
    assert (approved.data, approved.actor.id) == ({"partner_id": partner.pk}, cast.finance.pk)
