"""What is done about confirmed abuse: proposed, approved by another, and carried out by the verb it belongs to."""

import re

import pytest
from django.urls import reverse
from django.utils import translation

from compliance.models import Restriction
from crm import approvals
from crm.choices import Role
from crm.errors import DomainError, WrongState
from crm.models import AuditEvent
from risk.abuse import scoring
from risk.abuse.measures import propose_measure
from risk.abuse.models import AbuseMeasure
from risk.abuse.queue import decide_episode
from tests.brand_policies import set_policies
from tests.cast import make_staff
from tests.risk.abuse.test_episodes import hedged_accounts
from tests.trading.factories import make_type
from tests.wallet.bonuses.test_bonus import give, make_plan, pro
from trading.accounts.requests import due_requests
from trading.models import AccountRequest
from wallet.models import BonusGrant

__all__ = ["pro"]


@pytest.fixture
def second(cast):
    return make_staff("second.finance@keelson.example", Role.FINANCE, brand=cast.brand)


@pytest.fixture
def episode(cast):
    hedged_accounts(cast)
    return scoring.score_next()[1][0]


@pytest.fixture
def confirmed(cast, episode):
    return decide_episode(
        episode_id=episode.pk, actor=cast.finance, outcome="confirmed", reason="Same hands", handling="markup"
    )


def propose(cast, episode, kind, **more) -> AbuseMeasure:
    return propose_measure(
        episode_id=episode.pk, client_id=cast.client.pk, kind=kind, actor=cast.finance, reason="As agreed", **more
    )


def test_the_brands_usual_handling_is_proposed_and_its_measure_chosen(cast, episode, browse):
    """What is usual is the brand's policy; the measure that carries out the decision is chosen already."""
    set_policies(cast.brand, abuse_handling_hedge="void_bonus")
    page = browse(cast.finance).get(episode.get_absolute_url()).content.decode()
    assert "Withdraw the bonus, and review withdrawals" in page
    assert re.search(r'<option value="void_bonus" selected>', page)
    decide_episode(
        episode_id=episode.pk, actor=cast.finance, outcome="confirmed", reason="Same hands", handling="void_bonus"
    )
    page = browse(cast.finance).get(episode.get_absolute_url()).content.decode()
    assert re.search(r'<option value="\d+:bonuses" selected>', page)


def test_withdrawals_are_blocked_when_a_second_person_approves(cast, confirmed, second):
    measure = propose(cast, confirmed, "withdrawals")
    assert not Restriction.objects.exists()
    with pytest.raises(WrongState):
        propose(cast, confirmed, "withdrawals")
    with translation.override("de"):  # the approver's language; the file has the company's
        approvals.approve(AbuseMeasure, measure.pk, actor=second)
    held = Restriction.objects.get(client=cast.client, kind="no_withdrawal", lifted_at=None)
    assert "Opposite hedging" in held.reason and "As agreed" in held.reason
    row = AuditEvent.objects.get(action="risk.measure_approved")
    assert (row.actor, row.client_id) == (second, cast.client.pk)


@pytest.mark.usefixtures("pro")
def test_bonuses_are_revoked_and_without_one_nothing_is_proposed(cast, confirmed, second):
    with pytest.raises(DomainError, match="holds no bonus"):
        propose(cast, confirmed, "bonuses")
    grant = give(cast, make_plan(cast))
    measure = propose(cast, confirmed, "bonuses")
    approvals.approve(AbuseMeasure, measure.pk, actor=second)
    assert BonusGrant.objects.get(pk=grant.pk).held_minor == 0


def test_an_account_gets_another_type_by_the_worker(cast, confirmed, second):
    account = confirmed.parties.get(client=cast.client).account
    wide = make_type(cast.brand, account.server, name="Wide", group="real\\wide-EUR")
    demo = make_type(cast.brand, account.server, name="Demo", group="demo\\EUR", is_demo=True, is_default=False)
    with pytest.raises(DomainError):
        propose(cast, confirmed, "type", account_id=account.pk, type_id=demo.pk)
    measure = propose(cast, confirmed, "type", account_id=account.pk, type_id=wide.pk)
    approvals.approve(AbuseMeasure, measure.pk, actor=second)
    order = AccountRequest.objects.get(account=account)
    assert (order.account_type, order.state, order.is_by_rule) == (wide, "applying", True)
    assert order.pk in due_requests()


def test_measures_follow_from_the_decision_and_for_its_clients_only(cast, episode):
    with pytest.raises(WrongState, match="Confirm the abuse first"):
        propose(cast, episode, "withdrawals")


def test_proposed_and_approved_on_the_pages_of_two_people(
    cast, confirmed, second, browse, django_assert_max_num_queries
):
    mine, address = browse(cast.finance), reverse("risk_abuse_measure", args=[confirmed.pk])
    wrong = mine.post(address, {"measure": "1:withdrawals", "reason": "Kept"}).content.decode()
    assert "Kept" in wrong and not AbuseMeasure.objects.exists()
    mine.post(address, {"measure": f"{cast.client.pk}:withdrawals", "reason": "To be checked"})
    theirs = browse(second)
    with django_assert_max_num_queries(50):
        body = theirs.get(confirmed.get_absolute_url()).content.decode()
    assert "Block withdrawals" in body and "To be checked" in body and "Approve" in body
    measure = AbuseMeasure.objects.get()
    theirs.post(reverse("approval_decide", args=["abuse-measure", measure.pk, "approve"]))
    assert Restriction.objects.filter(client=cast.client, kind="no_withdrawal").exists()
    assert "Approved" in mine.get(confirmed.get_absolute_url()).content.decode()
