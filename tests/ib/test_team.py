"""Team members of a partner company: invited, within the rights of their role, and only for their own partner."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core import mail as outbox
from django.urls import reverse
from django.utils import timezone

from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, OutgoingMail, User
from crm.notices.mail import deliver
from ib import links, payouts
from ib.choices import PartnerRight, TeamRole
from ib.models import CommissionDispute, PartnerMember, ReferralLink
from ib.settlements import disputes
from ib.team import members
from ib.team.rights import RIGHTS, can_act_for, team_with
from tests.cast import PASSWORD
from tests.ib import factories

pytestmark = pytest.mark.django_db


def add(partner, role, *, actor=None):
    member = members.add_member(
        partner_id=partner.pk, name=f"Member {role}", email=f"{role}@team.example", role=role, actor=actor
    )
    member.user.refresh_from_db()
    return member


@pytest.fixture
def team(network):
    """The master of the network and one colleague per role."""
    return {role: add(network.master, role).user for role in TeamRole}


def test_owner_invites_a_colleague_who_signs_in(network, browse):
    master = network.master
    page = browse(master.user)
    answer = page.post(reverse("partner_team"), {"name": "Greta Vogt", "email": "Greta@T.example", "role": "finance"})
    assert answer.status_code == 302
    member = master.members.get()
    assert (member.user.username, member.role) == (f"{master.brand.code}:partners/greta@t.example", "finance")
    deliver(mail_id=OutgoingMail.objects.get(kind="ib.member_invitation").pk)
    letter = outbox.outbox[-1]
    assert letter.to == ["greta@t.example"]
    token = letter.body.split("/partners/welcome/")[1].split("/")[0]
    guest = browse(None)
    answer = guest.post(reverse("partner_welcome", args=[token]), {"password1": PASSWORD, "password2": PASSWORD})
    assert answer.status_code == 302
    # Signed in, but nothing opens before they have set up their second factor.
    assert guest.get(reverse("partner_earnings"))["Location"] == reverse("second_factor_setup")
    member.user.refresh_from_db()
    assert browse(member.user).get(reverse("partner_earnings")).status_code == 200
    event = AuditEvent.objects.filter(action="ib.member_added").latest("id")
    assert event.actor_id == master.user_id


def test_each_role_does_what_its_rights_say(network, team):
    master = network.master
    stranger = factories.make_partner(master.brand)
    for role, user in team.items():
        for right in PartnerRight:
            assert bool(can_act_for(user, master, right)) == (right in RIGHTS[role]), (role, right)
            assert not can_act_for(user, stranger, right)
    link = master.referral_links.get()
    for role in (TeamRole.FINANCE, TeamRole.READ_ONLY):
        with pytest.raises(NotAllowed):
            links.create_link(partner_id=master.pk, campaign="Mine", actor=team[role])
        with pytest.raises(NotAllowed):
            links.switch_link(link_id=link.pk, is_active=False, actor=team[role])
    for role in (TeamRole.MARKETING, TeamRole.READ_ONLY):
        with pytest.raises(NotAllowed):
            payouts.pay_out(partner_id=master.pk, amount=Decimal(1), currency="EUR", request_key="k", actor=team[role])
        with pytest.raises(NotAllowed):
            disputes.open_dispute(partner_id=master.pk, accrual_id=1, reason="Wrong", actor=team[role])
    with pytest.raises(NotAllowed):
        links.create_link(partner_id=stranger.pk, campaign="Theirs", actor=team[TeamRole.MARKETING])
    assert ReferralLink.objects.count() == 4 and not CommissionDispute.objects.exists()
    assert links.create_link(partner_id=master.pk, campaign="Mine", actor=team[TeamRole.MARKETING]).campaign == "Mine"
    with pytest.raises(DomainError, match="wallet"):  # past the role's check
        payouts.pay_out(
            partner_id=master.pk, amount=Decimal(1), currency="EUR", request_key="k", actor=team[TeamRole.FINANCE]
        )
    notified = team_with(master, PartnerRight.SEE_MONEY)
    assert notified == [master.user_id, *(team[r].pk for r in (TeamRole.READ_ONLY, TeamRole.FINANCE, TeamRole.OWNER))]


def test_members_see_their_partner_and_nothing_of_others(network, team, browse):
    """Lists hold the partner's own rows; addresses with others' numbers are in `test_other_partners_ids`."""
    link = factories.make_partner(network.master.brand).referral_links.get()
    for user in (*team.values(), network.master.user):
        shown = browse(user).get(reverse("partner_links")).content.decode()
        assert link.code not in shown and network.master.referral_links.get().code in shown
    marketing = browse(team[TeamRole.MARKETING])
    assert marketing.get(reverse("partner_home"))["Location"] == reverse("partner_links")
    assert "Earned this period" not in marketing.get(reverse("partner_clients")).content.decode()
    assert "New link" not in browse(team[TeamRole.READ_ONLY]).get(reverse("partner_links")).content.decode()


def test_removed_member_is_out_and_comes_back(network, team, browse):
    finance, owner = team[TeamRole.FINANCE], team[TeamRole.OWNER]
    page = browse(finance)
    assert page.get(reverse("partner_payouts")).status_code == 200
    member = PartnerMember.objects.get(user=finance)
    members.remove_member(member_id=member.pk, actor=owner)
    assert page.get(reverse("partner_payouts")).status_code == 302  # signed out
    assert not can_act_for(User.objects.get(pk=finance.pk), network.master, PartnerRight.SEE_MONEY)
    with pytest.raises(WrongState):
        members.change_role(member_id=member.pk, role="marketing", actor=owner)
    again = members.add_member(
        partner_id=network.master.pk, name="Back", email=finance.email, role="read_only", actor=owner
    )
    assert (again.pk, again.user_id, again.removed_at) == (member.pk, finance.pk, None)
    assert User.objects.get(pk=finance.pk).is_active


def test_team_is_managed_by_owners_and_never_oneself(network, team):
    own = PartnerMember.objects.get(user=team[TeamRole.OWNER])
    other = PartnerMember.objects.get(user=team[TeamRole.MARKETING])
    for role in (TeamRole.FINANCE, TeamRole.MARKETING, TeamRole.READ_ONLY):
        with pytest.raises(NotAllowed):
            members.change_role(member_id=own.pk, role="read_only", actor=team[role])
        with pytest.raises(NotAllowed):
            add(network.master, TeamRole.OWNER, actor=team[role])
    for verb in (members.remove_member, lambda **a: members.change_role(role="finance", **a)):
        with pytest.raises(NotAllowed):
            verb(member_id=own.pk, actor=team[TeamRole.OWNER])
    with pytest.raises(DomainError, match="already a login"):
        add(network.top, TeamRole.FINANCE)  # one address, one partner
    with pytest.raises(DomainError, match="role"):
        members.change_role(member_id=other.pk, role="boss", actor=team[TeamRole.OWNER])
    changed = members.change_role(member_id=other.pk, role="finance", actor=team[TeamRole.OWNER])
    assert changed.role == "finance" and changed.added_at <= timezone.now()
