"""A brand's policies: declared, dated, changed with four eyes where money, identity or limits are concerned."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from clients.brand_policies import MINIMUM_AGE
from crm import approvals
from crm.brand_policies import all_policies, find
from crm.brand_policies.registry import today
from crm.choices import Role
from crm.errors import DomainError, NotAllowed, NotFound, WrongState
from crm.models import AuditEvent, Brand, PolicyProposal, PolicyValue
from crm.staff.policy_changes import change_policy, lines_of
from kyc.brand_policies import KYC_UNDO_SECONDS
from tests.brand_policies import set_policies
from tests.cast import make_staff
from wallet.core.limits import LIMITS, limit

pytestmark = pytest.mark.django_db
FOUR_EYES = LIMITS["withdrawal_four_eyes_minor"]


def change(cast, policy, value, *, days=0, actor=None, reason="Agreed with the board"):
    made = change_policy(
        brand_id=cast.brand.pk,
        key=policy.key,
        value=value,
        effective_on=today(cast.brand) + dt.timedelta(days=days),
        actor=actor,
        reason=reason,
    )
    cast.brand.refresh_from_db()
    return made


def test_every_default_is_a_value_that_may_be_entered(cast):
    for policy in all_policies():
        policy.kind.field(cast.brand)
        given = Decimal(policy.default) if isinstance(policy.kind.read(policy.default), Decimal) else policy.default
        assert policy.kind.clean(given) is not None
        assert policy.kind.show(policy.default, cast.brand)


def test_a_brand_without_values_reads_defaults_without_a_query(cast, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert MINIMUM_AGE.of(cast.brand) == 18
        assert limit(cast.brand, "withdrawal_four_eyes_minor") == 10_000


def test_a_value_holds_from_its_day_and_the_day_before_keeps_what_held(cast):
    change(cast, KYC_UNDO_SECONDS, 30, days=3, actor=cast.administrator)
    day = today(cast.brand)
    assert KYC_UNDO_SECONDS.of(cast.brand) == 8
    assert KYC_UNDO_SECONDS.on(cast.brand, day + dt.timedelta(days=2)) == 8
    assert KYC_UNDO_SECONDS.on(cast.brand, day + dt.timedelta(days=3)) == 30
    assert MINIMUM_AGE.of(cast.other_brand) == 18


def test_the_later_of_two_values_of_one_day_holds_and_the_default_can_return(cast):
    change(cast, KYC_UNDO_SECONDS, 30, actor=cast.administrator)
    change(cast, KYC_UNDO_SECONDS, 40, actor=cast.administrator)
    assert KYC_UNDO_SECONDS.of(cast.brand) == 40
    change(cast, KYC_UNDO_SECONDS, None, actor=cast.administrator)
    assert KYC_UNDO_SECONDS.of(cast.brand) == 8
    assert PolicyValue.objects.count() == 3


def test_a_change_that_is_rolled_back_is_not_read_afterwards(cast):
    with pytest.raises(RuntimeError), transaction.atomic():
        set_policies(cast.brand, kyc_undo_seconds=30)
        assert KYC_UNDO_SECONDS.of(cast.brand) == 30
        raise RuntimeError
    assert KYC_UNDO_SECONDS.of(Brand.objects.get(pk=cast.brand.pk)) == 8


def test_a_limit_on_money_waits_for_a_second_person(cast):
    made = change(cast, FOUR_EYES, 50_000, actor=cast.finance)
    assert isinstance(made, PolicyProposal)
    assert limit(cast.brand, FOUR_EYES.key) == 10_000
    with pytest.raises(NotAllowed):
        approvals.approve(PolicyProposal, made.pk, actor=cast.finance)
    approvals.approve(PolicyProposal, made.pk, actor=cast.second_finance)
    cast.brand.refresh_from_db()
    assert limit(cast.brand, FOUR_EYES.key) == 50_000
    row = PolicyValue.objects.get()
    assert (row.set_by, row.value) == (cast.finance, 50_000)
    assert AuditEvent.objects.filter(action="crm.policy_changed", brand_id=cast.brand.pk).count() == 1


def test_a_rejected_proposal_changes_nothing(cast):
    made = change(cast, FOUR_EYES, 50_000, actor=cast.finance)
    approvals.reject(PolicyProposal, made.pk, actor=cast.administrator, note="Too high")
    cast.brand.refresh_from_db()
    assert limit(cast.brand, FOUR_EYES.key) == 10_000
    assert not PolicyValue.objects.exists()


def test_each_area_has_its_right_and_another_brand_is_out_of_reach(cast):
    with pytest.raises(NotAllowed):
        change(cast, FOUR_EYES, 50_000, actor=cast.mlro)
    with pytest.raises(NotAllowed):
        change(cast, MINIMUM_AGE, 21, actor=cast.finance)
    stranger = make_staff("far@x.example", Role.ADMINISTRATOR, brand=cast.other_brand)
    with pytest.raises(NotAllowed):
        change(cast, KYC_UNDO_SECONDS, 30, actor=stranger)
    made = change(cast, MINIMUM_AGE, 21, actor=cast.mlro)
    with pytest.raises(NotAllowed):
        approvals.approve(PolicyProposal, made.pk, actor=cast.finance)
    assert not PolicyValue.objects.exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("minimum_age", 17),
        ("minimum_age", True),
        ("minimum_age", "21"),
        ("withdrawal_four_eyes_minor", -1),
        ("fx_markup_basis_points", 1_001),
        ("screening_threshold", Decimal("0.49")),
        ("screening_threshold", Decimal("NaN")),
        ("deposit_third_party", "sometimes"),
        ("blocked_nationalities", ["DE", "XX"]),
        ("staff_networks", ["10.0.0.0/8", "nonsense"]),
        ("hosts", ["trade.example.com", "http://x"]),
        ("hosts", [f"h{n}.example.com" for n in range(301)]),
    ],
)
def test_a_value_out_of_range_is_refused_in_words_and_nothing_is_written(cast, key, value):
    with pytest.raises(DomainError) as refused:
        change(cast, find(key), value)
    assert str(refused.value)
    assert not PolicyValue.objects.exists()


def test_a_past_day_an_equal_value_no_reason_and_an_unknown_policy_are_refused(cast):
    with pytest.raises(DomainError):
        change(cast, KYC_UNDO_SECONDS, 30, days=-1)
    with pytest.raises(DomainError):
        change(cast, KYC_UNDO_SECONDS, 30, days=367)
    with pytest.raises(WrongState):
        change(cast, KYC_UNDO_SECONDS, 8)
    with pytest.raises(DomainError):
        change(cast, KYC_UNDO_SECONDS, 30, reason=" ")
    with pytest.raises(NotFound):
        change_policy(
            brand_id=cast.brand.pk, key="nonsense", value=1, effective_on=today(cast.brand), actor=None, reason="x"
        )
    assert not PolicyValue.objects.exists()


def test_a_written_value_never_changes_even_by_hand(cast):
    set_policies(cast.brand, kyc_undo_seconds=30)
    with pytest.raises(DatabaseError), transaction.atomic():
        PolicyValue.objects.update(value=60)
    with pytest.raises(DatabaseError), transaction.atomic():
        PolicyValue.objects.all().delete()


def test_the_list_needs_few_queries_however_many_policies_there_are(cast, django_assert_max_num_queries):
    set_policies(cast.brand, kyc_undo_seconds=30, minimum_age=21)
    cast.administrator.has_perm("x")
    with django_assert_max_num_queries(4):
        lines = lines_of(cast.administrator, cast.brand)
    assert len(lines) == len(all_policies())
    assert {line.policy.key for line in lines if not line.is_default} == {"kyc_undo_seconds", "minimum_age"}


def test_an_administrator_finds_and_changes_a_policy_on_its_page(cast, browse):
    browser = browse(cast.administrator)
    listed = browser.get(reverse("brand_policies", args=[cast.brand.pk]), {"q": "undone"}).content.decode()
    assert "kyc_undo_seconds" in listed and "minimum_age" not in listed
    address = reverse("policy", args=[cast.brand.pk, "kyc_undo_seconds"])
    wrong = browser.post(address, {"value": "900", "effective_on": today(cast.brand), "reason": "Slow officers"})
    assert wrong.status_code == 422
    assert "Slow officers" in wrong.content.decode()
    assert (
        browser.post(address, {"value": "20", "effective_on": today(cast.brand), "reason": "Slow officers"}).status_code
        == 302
    )
    assert KYC_UNDO_SECONDS.of(Brand.objects.get(pk=cast.brand.pk)) == 20
    assert "Slow officers" in browser.get(address).content.decode()


def test_amounts_are_entered_in_the_brands_currency_and_wait_on_the_page(cast, browse):
    address = reverse("policy", args=[cast.brand.pk, FOUR_EYES.key])
    browser = browse(cast.finance)
    browser.post(address, {"value": "250.50", "effective_on": today(cast.brand), "reason": "More volume"})
    assert PolicyProposal.objects.get().value == 25_050
    assert "awaits a second approval" in browser.get(address).content.decode()


def test_a_brand_out_of_reach_is_not_found(cast, browse):
    stranger = make_staff("far@x.example", Role.ADMINISTRATOR, brand=cast.other_brand)
    browser = browse(stranger)
    assert browser.get(reverse("brand_policies", args=[cast.brand.pk])).status_code == 404
    assert browser.get(reverse("policy", args=[cast.brand.pk, "minimum_age"])).status_code == 404
