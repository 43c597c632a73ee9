"""What answers hold back: accounts, leverage, deposits, withdrawals; and enhanced due diligence."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from clients.models import Client
from crm import work
from crm.errors import DomainError, NotAllowed
from crm.models import WorkItem
from kyc.questionnaires import edd, gates
from kyc.questionnaires.models import EnhancedReview
from tests.kyc.categories.factories import categorise
from tests.kyc.questionnaires.factories import BEST, MIDDLING, PLAIN_FUNDS, WORST, acknowledged, answer, published
from tests.trading.factories import make_server, make_type
from trading import policies
from trading.leverage import caps
from wallet.deposits.policies import can_deposit, can_deposit_amount

pytestmark = pytest.mark.django_db

NOT_PEP, PEP = {"q1": "no", "q2": "no"}, {"q1": "yes", "q2": "no", "q3": "Minister", "q4": "DE", "q5": "2020-01-01"}


def again(client: Client) -> Client:
    return Client.objects.select_related("brand", "user").get(pk=client.pk)


def may_open(cast, kind="retail", is_own=True):
    return gates.may_open_account(again(cast.client), kind, is_own=is_own)


def test_brand_without_questionnaires_asks_nothing(cast, django_assert_num_queries):
    client = again(cast.client)
    with django_assert_num_queries(0):
        assert gates.may_open_account(client, "retail", is_own=True)
        assert gates.may_deposit(client, Decimal(10**6))
        assert gates.leverage_limit(client) is None


def test_account_waits_for_the_appropriateness_test(cast):
    made = published(cast)
    refused = may_open(cast)
    assert not refused
    assert "Knowledge and experience" in refused.reason
    answer(cast.client, made, BEST)
    assert may_open(cast)


def test_warning_holds_the_account_until_acknowledged(cast):
    given = answer(cast.client, published(cast), MIDDLING)
    assert "confirm the warning" in may_open(cast).reason
    acknowledged(given, cast.client)
    assert may_open(cast)
    assert gates.leverage_limit(again(cast.client)).leverage == 20


def test_cooling_off_ends_to_the_second(cast):
    given = answer(cast.client, published(cast), WORST)
    acknowledged(given, cast.client)
    end = given.given_at + dt.timedelta(days=7)
    with time_machine.travel(end - dt.timedelta(seconds=1), tick=False):
        assert not may_open(cast)
    with time_machine.travel(end, tick=False):
        assert may_open(cast, "retail")
        assert "only these accounts" in may_open(cast, "pro").reason


def test_professional_clients_are_not_asked(cast):
    published(cast)
    categorise(cast.client, "professional")
    assert may_open(cast)


def test_trading_policy_and_ladder_obey(cast):
    made = published(cast)
    account_type = make_type(cast.brand, make_server(), leverages=[5, 10, 20, 30])
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=2)
    assert "Knowledge and experience" in policies.can_open_account(None, again(cast.client), account_type).reason
    acknowledged(answer(cast.client, made, MIDDLING), cast.client)
    assert policies.can_open_account(None, again(cast.client), account_type)
    ladder = caps.ladder_for(again(cast.client), account_type)
    assert max(ladder.steps) <= 20 < max(account_type.leverages)
    assert "given the answers" in ladder.reason
    with pytest.raises(DomainError, match="given the answers"):
        caps.check_leverage(again(cast.client), account_type, max(account_type.leverages))


def test_deposits_count_together_up_to_the_amount(cast):
    made = published(cast, "source_of_funds", over="5000")
    client = again(cast.client)
    assert can_deposit_amount(client, Decimal(5000), client.brand.base_currency)
    assert not can_deposit_amount(client, Decimal("5000.01"), client.brand.base_currency)
    client.net_deposits = Decimal(4000)
    assert not can_deposit_amount(client, Decimal("1000.01"), client.brand.base_currency)
    answer(cast.client, made, PLAIN_FUNDS)
    assert can_deposit_amount(again(cast.client), Decimal(50000), client.brand.base_currency)


def test_what_is_due_at_registration_holds_all_deposits(cast):
    made = published(cast, "pep")
    assert not can_deposit(cast.client_user, again(cast.client))
    answer(cast.client, made, NOT_PEP)
    assert can_deposit(cast.client_user, again(cast.client))


def test_withdrawal_waits_only_for_answers_never_for_a_review(cast):
    made = published(cast, "pep", asked_at="withdrawal")
    assert not gates.may_withdraw(again(cast.client))
    answer(cast.client, made, PEP)
    assert EnhancedReview.objects.get().state == "open"
    assert gates.may_withdraw(again(cast.client))


# ── enhanced due diligence ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def review(cast):
    answer(cast.client, published(cast, "pep"), PEP)
    return EnhancedReview.objects.get()


def test_pep_is_a_work_item_and_holds_the_account(cast, review):
    assert review.work.kind == "kyc.edd"
    assert review.work.state == "open"
    assert "reviewing your answers" in may_open(cast).reason


def test_officer_without_the_right_decides_nothing(cast, review):
    with pytest.raises(NotAllowed):
        edd.decide_review(review_id=review.pk, actor=cast.kyc_officer, outcome="cleared", reason="Fine")
    assert WorkItem.objects.get(pk=review.work_id).state == "open"


def test_decision_needs_a_reason_and_is_made_once(cast, review):
    with pytest.raises(DomainError, match="Enter a reason"):
        edd.decide_review(review_id=review.pk, actor=cast.mlro, outcome="cleared", reason=" ")
    edd.decide_review(review_id=review.pk, actor=cast.mlro, outcome="cleared", reason="Office ended in 2012")
    assert may_open(cast)
    with pytest.raises(NotAllowed, match="already been decided"):
        edd.decide_review(review_id=review.pk, actor=cast.mlro, outcome="declined", reason="No")


def test_declined_client_gets_no_account(cast, review):
    work.claim(item_id=review.work_id, actor=cast.mlro)
    edd.decide_review(review_id=review.pk, actor=cast.mlro, outcome="declined", reason="Source of wealth unclear")
    assert "contact support" in may_open(cast).reason
    assert "Declined after" in may_open(cast, is_own=False).reason
    assert timezone.now() >= EnhancedReview.objects.get().decided_at
