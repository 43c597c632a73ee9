"""Two limits of a brand meet: up to which amount nobody approves, and above which two people do."""

from decimal import Decimal

import pytest

from tests.brand_policies import set_policies
from tests.wallet.conftest import load_rates
from tests.wallet.factories import fund, make_psp
from tests.wallet.withdrawals.test_withdrawal import IBAN, paid_in
from wallet.choices.withdrawals import WithdrawalRoute, WithdrawalState
from wallet.models import Withdrawal
from wallet.withdrawals.return_to_source import PlannedPart, _merged
from wallet.withdrawals.verbs import WithdrawalRequest, approve_withdrawal, request_withdrawal

pytestmark = pytest.mark.django_db


@pytest.fixture
def psp(cast):
    load_rates()
    return make_psp(cast.brand)


@pytest.fixture
def rich(cast, psp):
    """A verified client with EUR 1,000 that came in through the PSP."""
    cast.client.kyc_level = 2
    cast.client.save()
    paid_in(cast.client, psp, 100_000)
    return cast


def ask(cast, psp, amount: str) -> Withdrawal:
    return request_withdrawal(
        client_id=cast.client.pk,
        request=WithdrawalRequest(psp_id=psp.pk, amount=Decimal(amount), currency="EUR", destination=IBAN),
        request_key=amount,
        actor=cast.client_user,
    )


ALONE, ONE, TWO = "nobody", "one person", "two people"


@pytest.mark.parametrize(
    ("automatic", "four_eyes", "amount", "approves"),
    [
        (5_000, 10_000, "49.99", ALONE),
        (5_000, 10_000, "50.00", ALONE),
        (5_000, 10_000, "50.01", ONE),
        (5_000, 10_000, "99.99", ONE),
        (5_000, 10_000, "100.00", ONE),
        (5_000, 10_000, "100.01", TWO),
        # Four eyes below the automatic limit: the stricter of the two counts.
        (20_000, 10_000, "99.99", ALONE),
        (20_000, 10_000, "100.00", ALONE),
        (20_000, 10_000, "100.01", TWO),
        (20_000, 10_000, "200.00", TWO),
        (10_000, 10_000, "100.00", ALONE),
        (10_000, 10_000, "100.01", TWO),
        # Nothing goes alone by default.
        (0, 10_000, "10.00", ONE),
        (0, 0, "10.00", TWO),
        (20_000, 0, "10.00", TWO),
    ],
)
def test_who_approves_at_both_limits(rich, psp, automatic, four_eyes, amount, approves):
    set_policies(rich.brand, withdrawal_auto_approve_minor=automatic, withdrawal_four_eyes_minor=four_eyes)
    withdrawal = ask(rich, psp, amount)
    assert withdrawal.needs_second is (approves == TWO)
    assert withdrawal.approved_automatically is (approves == ALONE)
    assert withdrawal.state == (WithdrawalState.APPROVED if approves == ALONE else WithdrawalState.REQUESTED)
    if approves == ALONE:
        return
    first = approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)
    assert (first.state == WithdrawalState.APPROVED) is (approves == ONE)


def test_another_brands_limits_are_not_ours(rich, psp):
    set_policies(rich.other_brand, withdrawal_auto_approve_minor=1_000_000)
    assert ask(rich, psp, "50").state == WithdrawalState.REQUESTED


def part(psp, minor: int, back: int, **fields) -> PlannedPart:
    values = {"psp": psp, "way": WithdrawalRoute.PAYOUT, "currency": "EUR", "label": "Bank", "minutes": 60}
    return PlannedPart(amount_minor=minor, return_minor=back, **{**values, **fields})


@pytest.mark.parametrize(
    ("parts", "merged"),
    [
        ([(100, 100)], [(100, 100)]),
        ([(100, 100), (50, 50)], [(150, 150)]),
        ([(100, 100), (50, 0)], [(150, 100)]),
        ([(100, 0), (50, 50)], [(150, 50)]),
        ([(100, 40), (50, 30), (25, 20)], [(175, 90)]),
    ],
)
def test_a_merged_part_returns_what_its_parts_return(cast, psp, parts, merged):
    """What a payment gives return to source is not given back a second time: each part's share must survive."""
    found = _merged([part(psp, minor, back) for minor, back in parts])
    assert [(one.amount_minor, one.return_minor) for one in found] == merged


def test_other_places_are_payments_of_their_own(cast, psp):
    other = make_psp(cast.brand, "second")
    to_another_account = {"destination": {"iban": "DE02500105170137075030", "holder": "Clara Weber"}}
    found = _merged(
        [part(psp, 100, 100), part(other, 50, 50), part(psp, 25, 5), part(psp, 10, 10, **to_another_account)]
    )
    assert [(one.psp, one.amount_minor, one.return_minor) for one in found] == [
        (psp, 125, 105),
        (other, 50, 50),
        (psp, 10, 10),
    ]


def test_two_returns_of_one_place_are_kept_on_the_row(rich, psp):
    """Two deposits by the same bank go back in one payment, which says that all of it gives deposits back."""
    paid_in(rich.client, psp, 20_000)
    fund(rich.client, 30_000, key="profit")
    withdrawal = ask(rich, psp, "1250")
    rows = Withdrawal.objects.filter(request_reference=withdrawal.request_reference)
    assert sum(row.amount_minor for row in rows) == 125_000
    assert sum(row.return_minor for row in rows) == 120_000
