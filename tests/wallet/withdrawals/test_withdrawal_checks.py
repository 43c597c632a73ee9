"""What the checks of a withdrawal see, each by its own rule and in words."""

from decimal import Decimal

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from clients.audit_codes import ClientsAction
from compliance.hits import MATCH
from compliance.models import CountryRisk, Hit, ListEntry
from compliance.risk_rating.explaining import explained
from compliance.risk_rating.rating import assess
from crm.audit_codes import CrmAction
from crm.security import audit
from crm.work import open_item
from tests.brand_policies import set_policies
from tests.compliance.factories import load
from tests.days import now
from tests.trading.factories import make_account, make_server
from tests.wallet.withdrawals.test_withdrawal import IBAN, ask, outcome, paid_in, rich
from wallet.choices.withdrawals import CheckResult
from wallet.models import Deposit, Withdrawal
from wallet.withdrawals.checks import risk
from wallet.withdrawals.checks.registry import CHECKS

__all__ = ["rich"]
pytestmark = pytest.mark.django_db


def said(withdrawal: Withdrawal, name: str) -> str:
    return withdrawal.checks.get(name=name).reason


def test_every_check_speaks_once_about_every_request(rich, outside):
    withdrawal = ask(rich, outside)
    assert set(withdrawal.checks.values_list("name", flat=True)) == set(CHECKS)
    assert len(CHECKS) == 17
    assert set(withdrawal.checks.values_list("outcome", flat=True)) == {CheckResult.PASS}


@pytest.mark.parametrize(
    ("policies", "words"),
    [
        ({"withdrawal_requests_per_day": 1}, "More than 1 requests within a day"),
        ({"withdrawal_requests_per_week": 1}, "More than 1 requests within a week"),
        ({"withdrawal_amount_per_day_minor": 1_999}, "€20.00 within 1 days"),
        ({"withdrawal_amount_per_week_minor": 1_999}, "€20.00 within 7 days"),
    ],
)
def test_how_often_and_how_much(rich, outside, policies, words):
    assert outcome(ask(rich, outside, "10"), "velocity") == CheckResult.PASS
    set_policies(rich.brand, **policies)
    second = ask(rich, outside, "10", key="k2")
    assert outcome(second, "velocity") == CheckResult.REVIEW
    assert words in said(second, "velocity")


@pytest.mark.parametrize(
    ("action", "after", "words"),
    [
        (CrmAction.PASSWORD_RESET, {}, "Password reset"),
        (CrmAction.SECOND_FACTOR_REMOVED, {}, "Second factor removed"),
        (ClientsAction.PROFILE_CHANGED, {"email": "new@example.com"}, "E-mail address changed"),
        (ClientsAction.DETAILS_CHANGED, {"phone": "+4915100"}, "Phone number changed"),
        (ClientsAction.DETAILS_CHANGED, {"city": "Berlin"}, ""),
    ],
)
def test_what_was_changed_shortly_before_is_looked_at(rich, outside, action, after, words):
    audit.record(actor=None, action=action, target=rich.client, client_id=rich.client.pk, after=after)
    withdrawal = ask(rich, outside)
    assert outcome(withdrawal, "cooling_off") == (CheckResult.REVIEW if words else CheckResult.PASS)
    assert words in said(withdrawal, "cooling_off")


def test_an_open_match_with_a_watchlist_and_signs_of_other_apps_are_looked_at(rich, outside, monkeypatch, tmp_path):
    load(tmp_path, {"first": "Klara", "second": "Weber"})
    assert outcome(ask(rich, outside, "10"), "aml") == CheckResult.PASS
    Hit.objects.create(
        screening=rich.client.screenings.create(
            at=now(), trigger="manual", matcher_version="1", threshold=Decimal("0.9"), client_hash="x"
        ),
        client=rich.client,
        entry=ListEntry.objects.get(),
        client_hash="x",
        entry_hash="y",
        score=Decimal("0.95"),
        found_at=now(),
        work=open_item(MATCH, client_id=rich.client.pk, brand=rich.client.brand, opened_at=now()),
    )
    monkeypatch.setitem(risk.SIGNALS, "test", lambda _client: "Cash at three branches.")
    withdrawal = ask(rich, outside, "10", key="k2")
    assert outcome(withdrawal, "aml") == CheckResult.REVIEW
    assert "watchlist" in said(withdrawal, "aml") and "Cash at three branches." in said(withdrawal, "aml")


def test_the_factors_of_a_high_rating_are_named(rich, outside):
    CountryRisk.objects.create(country=rich.client.country, level="black", valid=DateRange(None, None), source="FATF")
    factors = explained(assess(client_id=rich.client.pk)).factors
    rich.client.refresh_from_db()
    assert rich.client.risk_rating == "high"
    assert factors[0].name in said(ask(rich, outside), "risk")


def test_in_and_out_with_hardly_any_trading_is_looked_at(rich, outside, monkeypatch):
    withdrawal = ask(rich, outside, "900")
    assert outcome(withdrawal, "churn") == CheckResult.REVIEW
    assert "€1,000.00" in said(withdrawal, "churn")
    assert outcome(ask(rich, outside, "50", key="k2"), "churn") == CheckResult.PASS


def test_who_traded_enough_is_not_churning(rich, outside, monkeypatch):
    make_account(rich.client, make_server())

    class Traded:
        @staticmethod
        def filter(**_which):
            return Traded

        @staticmethod
        def aggregate(**_what):
            return {"lots": Decimal("0.1")}

    monkeypatch.setattr(risk.Deal, "objects", Traded)
    assert outcome(ask(rich, outside, "900"), "churn") == CheckResult.PASS


def test_many_small_deposits_that_are_much_together_are_looked_at(rich, outside):
    for number in range(5):
        paid_in(rich.client, outside.psp, 70_000 + number)
    withdrawal = ask(rich, outside)
    assert outcome(withdrawal, "structuring") == CheckResult.REVIEW
    assert "5 small deposits within 7 days" in said(withdrawal, "structuring")


def test_a_payer_who_is_somebody_else_is_looked_at(rich, outside):
    Deposit.objects.update(payer_name="Clara Weber")
    assert outcome(ask(rich, outside, "10"), "payer") == CheckResult.PASS
    Deposit.objects.update(payer_name="Boris Badenov")
    withdrawal = ask(rich, outside, "10", key="k2")
    assert outcome(withdrawal, "payer") == CheckResult.REVIEW and "Boris Badenov" in said(withdrawal, "payer")


def test_a_chargeback_lately_is_looked_at(rich, outside):
    paid_in(rich.client, outside.psp, 500)
    Deposit.objects.filter(amount_minor=500).update(state="charged_back")
    assert outcome(ask(rich, outside), "chargeback") == CheckResult.REVIEW


def test_a_destination_in_anothers_name_or_of_another_client_is_looked_at(rich, outside):
    theirs = {**IBAN, "holder": "Boris Badenov"}
    withdrawal = ask(rich, outside, "10", destination=theirs)
    assert outcome(withdrawal, "destination") == CheckResult.REVIEW
    assert "Boris Badenov" in said(withdrawal, "destination")
    assert outcome(ask(rich, outside, "10", key="k2"), "destination") == CheckResult.PASS
    Withdrawal.objects.filter(request_key="k2").update(client=rich.other_client)
    shared = ask(rich, outside, "10", key="k3")
    assert f"client {rich.other_client.pk}" in said(shared, "destination")


def test_a_position_that_may_need_the_money_is_looked_at(rich, outside):
    make_account(rich.client, make_server(), margin=Decimal(100), margin_level=Decimal(80))
    assert outcome(ask(rich, outside), "open_margin") == CheckResult.REVIEW


def test_the_checks_take_a_bounded_number_of_queries(rich, outside, django_assert_max_num_queries):
    for number in range(8):
        paid_in(rich.client, outside.psp, 1_000 + number)
    from wallet.ledger.posting import wallet_of
    from wallet.withdrawals.checks.registry import Request, run_checks

    request = Request(client=rich.client, wallet=wallet_of(rich.client, "EUR"), amount_minor=1_000, currency="EUR")
    with django_assert_max_num_queries(24):
        run_checks(request)
