"""Ledger balances at an instant, reports and breaks over the API."""

import datetime as dt

import pytest
from django.utils import timezone

from tests.crm.api.test_reading import get, secret_of
from tests.wallet.factories import fund
from wallet.ledger import posting

pytestmark = pytest.mark.django_db


def test_balances_now_and_at_an_instant(cast):
    before = timezone.now()
    fund(cast.client, 23_050)
    wallet = posting.wallet_of(cast.client, "EUR")
    secret = secret_of(cast.finance, "ledger:read")
    now = get(f"ledger-balances?account_id={wallet.pk},999999999", secret)
    assert now.status_code == 200, now.content
    assert now.json()["data"] == [{"account_id": wallet.pk, "amount": "230.50", "currency": "EUR"}]
    at = before.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    then = get(f"ledger-balances?account_id={wallet.pk}&as_of={at}", secret).json()["data"]
    assert then == [{"account_id": wallet.pk, "amount": "0.00", "currency": "EUR"}]


def test_balances_are_refused_without_scope_right_or_sense(cast):
    wallet = posting.wallet_of(cast.client, "EUR")
    secret = secret_of(cast.finance, "ledger:read")
    for query, status in (
        ("", 422),
        ("account_id=", 400),
        ("account_id=x", 400),
        (f"account_id={','.join(['1'] * 201)}", 400),
        (f"account_id={wallet.pk}&as_of=2026-11-26T00:00:00", 400),
        (f"account_id={wallet.pk}&as_of=9999-12-31T23:59:59-14:00", 400),
        (f"account_id={wallet.pk}&as_of=nonsense", 422),
    ):
        assert get(f"ledger-balances?{query}", secret).status_code == status, query
    assert get(f"ledger-balances?account_id={wallet.pk}", secret_of(cast.finance, "payments:read")).status_code == 403
    assert get(f"ledger-balances?account_id={wallet.pk}", secret_of(cast.agent, "ledger:read")).status_code == 403
    foreign = posting.wallet_of(cast.other_client, "EUR")
    if foreign.brand_id != cast.brand.pk:
        assert get(f"ledger-balances?account_id={foreign.pk}", secret).json()["data"] == []
