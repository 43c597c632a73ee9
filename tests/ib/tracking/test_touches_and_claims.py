"""Which partner a client is credited to: first or last touch, lock-in, assignments by two people, and partners' claims."""

import datetime as dt

import pytest
from django.utils import timezone

from clients.models import Client
from crm import approvals
from crm.brand_policies.registry import new_version
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent, PolicyValue, WorkProposal
from ib import brand_policies
from ib.models import Attribution, AttributionProposal, ClientClaim, PostbackReport
from ib.tracking import assigning, claims, postbacks, reports, touches
from leads.attribution import FirstVisit, Origin
from leads.models import Lead
from tests.ib.factories import refer

pytestmark = pytest.mark.django_db


def put(brand, policy, value):
    day = timezone.now().date() - dt.timedelta(days=1)
    PolicyValue.objects.create(
        brand=brand, key=policy.key, value=value, effective_on=day, set_at=timezone.now(), reason="Test"
    )
    brand.policies_version = new_version()
    brand.save(update_fields=["policies_version"])


def enquiry(client, code, days_ago, **fields):
    at = timezone.now() - dt.timedelta(days=days_ago)
    return Lead.objects.create(
        client=client, brand=client.brand, channel="landing", captured_at=at, referral_code=code, **fields
    )


def test_the_policy_says_which_touch_counts(network, cast):
    client = cast.other_client
    enquiry(client, network.top.code, 400)
    enquiry(client, network.master.code.upper(), 20, sub_id="m")
    enquiry(client, "nobody", 15)
    seen = FirstVisit(code=network.master.code, sub_id="", click_id="", at=int(timezone.now().timestamp()) - 86_400)
    visit = Origin(referral_code=network.sub.code, sub_id="s", click_id="c", first=seen)
    first = touches.credited_touch(Client.objects.get(pk=client.pk), visit)
    assert (first.code, first.sub_id) == (network.master.code, "m"), "the oldest one is out of time"
    put(cast.brand, brand_policies.PARTNER_TOUCH, "last")
    last = touches.credited_touch(Client.objects.get(pk=client.pk), visit)
    assert (last.code, last.sub_id, last.click_id) == (network.sub.code, "s", "c")
    assert touches.credited_touch(Client.objects.get(pk=client.pk), Origin()).code == network.master.code
    put(cast.brand, brand_policies.PARTNER_TOUCH_DAYS, 10)
    assert touches.credited_touch(Client.objects.get(pk=client.pk), Origin()) is None


def test_a_client_who_returns_moves_only_after_the_lock_in(network, cast):
    refer(cast.other_client, network.top)
    cast.other_client.registered_at = timezone.now()
    cast.other_client.save(update_fields=["registered_at"])
    lead = enquiry(cast.other_client, network.sub.code, 0, click_id="c9")
    assert touches.follow_return(lead_id=lead.pk) is None, "locked in for good by default"
    put(cast.brand, brand_policies.PARTNER_LOCK_IN_DAYS, 3650)
    assert touches.follow_return(lead_id=lead.pk) is None
    put(cast.brand, brand_policies.PARTNER_LOCK_IN_DAYS, 30)
    moved = touches.follow_return(lead_id=lead.pk)
    assert (moved.partner, moved.click_id, moved.method) == (network.sub, "c9", "link")
    assert touches.follow_return(lead_id=lead.pk) is None


def test_an_assignment_by_hand_needs_a_second_person(network, cast):
    given = {"client_id": cast.other_client.pk, "partner_id": network.top.pk, "reason": "Met at the seminar"}
    with pytest.raises(NotAllowed):
        assigning.propose_attribution(actor=cast.finance, **given)
    item = assigning.propose_attribution(actor=cast.ib_manager, **given)
    assert not Attribution.objects.filter(client=cast.other_client).exists()
    with pytest.raises(WrongState):
        assigning.propose_attribution(actor=cast.ib_manager, **given)
    with pytest.raises(NotAllowed):
        approvals.approve(AttributionProposal, item.pk, actor=cast.ib_manager)
    approvals.approve(AttributionProposal, item.pk, actor=cast.finance)
    held = Attribution.objects.get(client=cast.other_client)
    assert (held.partner, held.made_by, held.reason) == (network.top, cast.ib_manager, "Met at the seminar")


def claim(partner, email, **fields):
    given = {"came_on": None, "reason": "Came to my webinar", **fields}
    return claims.claim_client(partner_id=partner.pk, email=email, actor=partner.user, **given)


def test_two_partners_claim_one_client_and_the_evidence_is_shown(network, cast, browse, django_assert_max_num_queries):
    enquiry(cast.client, network.master.code, 30, sub_id="webinar", click_id="k1")
    key = postbacks.key_for_reports(partner_id=network.master.pk, actor=network.master.user)
    PostbackReport.objects.create(
        key=key, received_at=timezone.now(), query="", state="counted", kind="click", click_id="k1", report_id="1"
    )
    first = claim(network.master, cast.client.email.upper())
    second = claim(network.top, cast.client.email)
    unknown = claim(network.top, "stranger@example.com")
    assert first.client_id == second.client_id == cast.client.pk and unknown.client is None
    assert cast.client.email not in first.named
    for email, by in ((cast.client.email, network.master), ("s.tranger+x@example.com", network.top)):
        with pytest.raises(WrongState, match="You have an open claim on"):  # the same, whether or not there is a client
            claim(by, email, came_on=timezone.now().date())
    with pytest.raises(DomainError):
        claim(network.master, "x@example.com", reason=" ")
    staff = browse(cast.ib_manager)
    with django_assert_max_num_queries(40):
        page = staff.get(f"/ib/claims/{first.pk}/").content.decode()
    assert "webinar" in page and "Reported by the network" in page and network.top.name in page
    assert staff.get("/ib/claims/").content.decode().count(f"#{cast.client.pk}") >= 2
    with pytest.raises(DomainError):
        claims.propose_acceptance(claim_id=unknown.pk, reason="x", actor=cast.ib_manager)
    claims.propose_acceptance(claim_id=first.pk, reason="Their webinar brought the enquiry", actor=cast.ib_manager)
    proposal = WorkProposal.objects.get(item=first.work)
    with pytest.raises(NotAllowed):
        approvals.approve(WorkProposal, proposal.pk, actor=cast.ib_manager)
    approvals.approve(WorkProposal, proposal.pk, actor=cast.administrator)
    assert Attribution.objects.get(client=cast.client, ends_at=None).partner == network.master
    claims.reject_claim(
        claim_id=second.pk, answer="The first enquiry came through another partner", actor=cast.administrator
    )
    assert set(ClientClaim.objects.values_list("state", flat=True)) == {"accepted", "rejected", "open"}
    mine = browse(network.top.user).get("/partners/clients/claims/").content.decode()
    assert "The first enquiry came" in mine and network.master.name not in mine and cast.client.email not in mine
    lines = browse(network.top.user).get("/partners/clients/claims/?export=csv").getvalue().decode().splitlines()
    assert len(lines) == 1 + network.top.claims.count() and lines[0].endswith("Client,Reason,Opened,State,Answer")
    assert AccessEvent.objects.get(target="partners.claims.csv").user == network.top.user


def test_a_reported_conversion_of_anothers_client_becomes_a_claim(network, cast):
    enquiry(cast.client, network.sub.code, 3, click_id="k7")
    key = postbacks.key_for_reports(partner_id=network.master.pk, actor=network.master.user)
    for number in (1, 2):
        query = f"event=conversion&id={number}&click_id=k7"
        signature = reports.sign(query, key.secret)
        assert reports.receive(key=key, query=f"{query}&sig={signature}").state == "claimed"
    made = ClientClaim.objects.get()
    assert (made.partner, made.client, made.source, made.named) == (network.master, cast.client, "network", "k7")
