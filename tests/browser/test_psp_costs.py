"""What a PSP charges, from the keyboard: one person writes terms down, another one agrees; fees that differ are counted."""

from __future__ import annotations

import pytest

from tests.browser.people import enter
from tests.wallet import recon
from tests.wallet.factories import make_psp
from wallet.models import PspCost

pytestmark = pytest.mark.django_db(transaction=True)


def test_terms_are_written_and_agreed_to_without_a_mouse(page, cast):
    psp = make_psp(cast.brand, "northpay")
    for number in range(3):
        recon.movement(psp, cast.client, f"D-{number}", 10_000)
    recon.report(psp, [recon.row(f"D-{number}", 10_000, fee=165 + 30 * (number == 2)) for number in range(3)])
    enter(page, cast.finance)
    page.goto(f"/money/psps/{psp.pk}/costs/")
    page.keyboard.press("n")
    page.fill("#k-fill input[name=percent]", "1.4")
    page.fill("#k-fill input[name=fixed]", "0.25")
    page.fill("#k-fill input[name=valid_from]", "2026-01-01")
    page.fill("#k-fill input[name=reason]", "Contract of 3 March, § 4")
    page.keyboard.press("Enter")
    page.get_by_text("Someone else must decide").first.wait_for()
    page.context.clear_cookies()
    enter(page, cast.second_finance)
    page.goto(f"/money/psps/{psp.pk}/costs/")
    page.keyboard.press("a")
    page.get_by_text("1 row differs").wait_for()
    assert PspCost.objects.get().basis_points == 140
