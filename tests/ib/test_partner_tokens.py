"""API tokens of partners: what they read is what the login sees on its own pages, and nobody else's."""

from __future__ import annotations

import pytest
from django.test import Client as Caller
from django.urls import reverse
from django.utils import timezone

from crm.api.resources import RESOURCES
from crm.api.scopes import BY_CODE
from crm.api.tokens import TokenDetails, create_token, revoke_token, rotate_token
from crm.errors import DomainError, NotAllowed
from crm.models import ApiToken, AuditEvent
from ib import engine
from ib.choices import TeamRole
from ib.models import Accrual, Attribution, ReferralDay, ReferralLink
from ib.team import members
from tests.brand_policies import set_policies
from tests.crm.api.test_reading import secret_of
from tests.ib.factories import make_trade
from tests.ib.test_team import add

pytestmark = pytest.mark.django_db
ALL = ("own_clients:read", "own_earnings:read", "own_links:read")
OWN = ("partner-clients", "partner-earnings", "partner-settlements", "partner-links")


def call(path: str, secret: str):
    return Caller().get(f"/api/v1/{path}", headers={"authorization": f"Bearer {secret}"})


def new(user, *scopes, actor=None):
    return create_token(user_id=user.pk, actor=actor or user, details=TokenDetails("Reporting", scopes or ALL))


def test_a_partner_reads_own_data_and_nothing_else(network):
    master = network.master
    token, secret = new(master.user)
    assert secret.startswith("kpa_") and secret not in str(ApiToken.objects.values())
    assert call("me", secret).json()["kind"] == "partner"
    link = master.referral_links.get()
    ReferralDay.objects.create(link=link, day="2026-11-20", sub_id="mail", clicks=7, registrations=2)
    for name in OWN:
        answer = call(name, secret)
        assert answer.status_code == 200, answer.content
        rows = RESOURCES[name].rows(master.user)
        assert {row["id"] for row in answer.json()["data"]} == set(rows.values_list("pk", flat=True))
    assert call(f"partner-links/{link.pk}?fields=clicks,registrations", secret).json() == {
        "clicks": 7,
        "registrations": 2,
    }
    funnel = call("partner-funnel?first=2026-11-01&last=2026-11-30&by=sub", secret).json()
    assert (funnel["data"][0]["key"], funnel["total"]["clicks"]) == ("mail", 7)
    for wrong in ("first=2026-01-01&last=2026-11-30", "first=2026-11-30&last=2026-11-01", "first=x&last=y"):
        assert call(f"partner-funnel?{wrong}", secret).status_code in (400, 422)
    # Whatever its row says, a partner's token opens nothing of the broker's.
    ApiToken.objects.filter(pk=token.pk).update(scopes=sorted(BY_CODE))
    for name in RESOURCES.keys() - set(OWN):
        assert call(name, secret).status_code == 403, name
    for path in ("client-facts", "hooks"):
        assert call(path, secret).json()["code"] == "insufficient_scope", path


def test_names_are_shortened_and_clients_further_down_stay_anonymous(network, cast):
    engine.run_for_deals(deal_ids=[make_trade(network.account)])
    _token, secret = new(network.sub.user)
    client = call("partner-clients", secret).json()["data"][0]
    assert (client["name"], client["client_id"]) == ("Clara W.", cast.client.pk)
    earned = call("partner-earnings", secret).json()["data"][0]
    assert (earned["client"], earned["level"], earned["introducer"]) == ("Clara W.", 1, network.sub.code)
    assert earned["explanation"]["rate"] and earned["amount"]["currency"] == "EUR"
    _token, secret = new(network.top.user)
    above = call("partner-earnings", secret).content.decode()
    assert network.sub.code in above and "Clara" not in above and cast.client.email not in above
    assert call("partner-clients", secret).json()["data"] == []


def test_a_brand_shows_partners_client_numbers_only(network, cast, browse):
    """Everywhere: lists, home, a statement's file and the API."""
    engine.run_for_deals(deal_ids=[make_trade(network.account, at=timezone.now())])
    _token, secret = new(network.sub.user)
    browser = browse(network.sub.user)
    pages = ("partner_home", "partner_clients", "partner_earnings")
    files = ("/partners/statements/open.csv", "/partners/clients/?export=csv")
    for names, shown, hidden in (("short", "Clara W.", ""), ("number", f"#{cast.client.pk}", "Clara")):
        set_policies(cast.brand, partner_client_names=names)
        read = [browser.get(reverse(name)).content.decode() for name in pages]
        read += [browser.get(address).getvalue().decode() for address in files]
        read += [call(path, secret).content.decode() for path in ("partner-clients", "partner-earnings")]
        for text in read:
            assert shown in text and not (hidden and hidden in text), names


def test_other_partners_ids_are_not_found(network):
    engine.run_for_deals(deal_ids=[make_trade(network.account)])
    _token, secret = new(network.master.user)
    for model, name in (
        (ReferralLink, "partner-links"),
        (Attribution, "partner-clients"),
        (Accrual, "partner-earnings"),
    ):
        others = list(model.objects.exclude(partner=network.master).values_list("pk", flat=True)[:3])
        assert others
        for pk in others:
            assert call(f"{name}/{pk}", secret).status_code == 404, (name, pk)
    other = ReferralLink.objects.exclude(partner=network.master).first()
    answer = call(f"partner-funnel?first=2026-11-01&last=2026-11-30&link_id={other.pk}", secret)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_the_role_in_the_team_narrows_a_token(network):
    marketing = add(network.master, TeamRole.MARKETING)
    _token, secret = new(marketing.user)
    assert call("partner-links", secret).status_code == 200
    assert call("partner-earnings", secret).json()["code"] == "not_allowed"
    with pytest.raises(NotAllowed):
        new(add(network.master, TeamRole.READ_ONLY).user)
    members.change_role(member_id=marketing.pk, role=TeamRole.FINANCE, actor=network.master.user)
    assert call("partner-earnings", secret).status_code == 200
    # The owner ends a colleague's token, but gets none in their name; another partner does neither.
    token = ApiToken.objects.get(user=marketing.user)
    with pytest.raises(NotAllowed):
        new(marketing.user, actor=network.master.user)
    with pytest.raises(NotAllowed):
        rotate_token(token_id=token.pk, actor=network.master.user)
    with pytest.raises(NotAllowed):
        revoke_token(token_id=token.pk, actor=network.top.user)
    members.remove_member(member_id=marketing.pk, actor=network.master.user)
    token.refresh_from_db()
    assert token.revoked_by == network.master.user
    assert call("partner-links", secret).status_code == 401
    assert AuditEvent.objects.filter(action="crm.api_token_revoked").exists()


def test_a_partner_manager_who_removes_a_member_ends_their_tokens(network, cast):
    member = add(network.master, TeamRole.MARKETING)
    token, secret = new(member.user)
    members.remove_member(member_id=member.pk, actor=cast.ib_manager)
    token.refresh_from_db()
    assert token.revoked_by == cast.ib_manager and call("me", secret).status_code == 401


def test_scopes_of_staff_and_partners_do_not_mix(network, cast):
    with pytest.raises(DomainError):
        new(network.master.user, "clients:read")
    with pytest.raises(DomainError):
        new(cast.finance, "own_earnings:read")
    secret = secret_of(cast.finance, *ALL)
    assert {call(name, secret).json()["code"] for name in OWN} == {"insufficient_scope"}


def test_the_pages_of_a_partners_tokens(network, browse):
    page = browse(network.master.user)
    assert page.get(reverse("partner_tokens")).status_code == 200
    asked = {"name": "Reporting", "scopes": ["own_links:read"], "days": 30, "networks": "10.0.0.0/8"}
    made = page.post(reverse("partner_token_new"), asked)
    assert made.status_code == 200, made.content
    secret = made.context["secret"]
    assert secret in made.content.decode()
    assert call("partner-links", secret).json()["code"] == "wrong_network"
    token = ApiToken.objects.get(user=network.master.user)
    assert secret not in page.get(reverse("partner_tokens")).content.decode()
    stranger = browse(network.sub.user)
    for name in ("partner_token_revoke", "partner_token_rotate"):
        assert stranger.post(reverse(name, args=[token.pk])).status_code == 404
    newer = page.post(reverse("partner_token_rotate", args=[token.pk])).context["made"]
    page.post(reverse("partner_token_revoke", args=[newer.pk]))
    newer.refresh_from_db()
    assert newer.revoked_at is not None
