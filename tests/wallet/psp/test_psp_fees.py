"""What PSPs charge on deposits, compared by their own reports."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.wallet.factories import make_psp
from tests.wallet.recon import FIRST, report, row
from wallet.psp.health import deposit_costs

pytestmark = pytest.mark.django_db


def test_fees_are_compared_by_the_newest_reports(cast, browse):
    cheap, dear = make_psp(cast.brand, "cheap"), make_psp(cast.brand, "dear")
    today = (timezone.now().date() - FIRST).days + 1
    old = row("D-OLD", 100_00, fee=50_00)
    report(dear, [old], first=today - 120, last=today - 90, match=False)
    report(dear, [{**old, "is_repeat": True}, row("D-1", 200_00, fee=6_00)], last=today, match=False)
    rows = [
        row("D-2", 100_00, fee=1_00),
        row("D-3", 300_00, fee=3_00),
        row("D-4", 900_00, fee=90_00, currency="USD"),
        row("W-1", -100_00, fee=20_00, type="payout"),
    ]
    report(cheap, rows, last=today, match=False)
    silent = make_psp(cast.brand, "silent")

    costs = deposit_costs([cheap.pk, dear.pk, silent.pk])
    assert [(c.psp_id, c.percent, c.currency, c.deposits) for c in costs] == [
        (dear.pk, Decimal(3), "EUR", 1),
        (cheap.pk, Decimal(1), "EUR", 2),
    ]
    page = browse(cast.finance).get(reverse("wallet:psps")).content.decode()
    assert page.index("3.00 % · 1 deposit") < page.index("1.00 % · 2 deposits")
