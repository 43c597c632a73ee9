"""Pages of challenges: each shows the version that was bought, to its client and to staff in reach."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from crm.models import AccessEvent, FxRate
from prop.challenges.objectives import objectives_of
from prop.challenges.shop import compare, rates_to
from prop.choices import StageState
from prop.models import Breach
from tests.cast import Cast, signed_in
from tests.prop.factories import make_draft, make_version, text_of
from tests.prop.judge.running import run_phase
from tests.prop.payouts.world import earn
from tests.prop.test_buy_challenge import buy, size_of
from tests.trading.factories import make_type
from tests.wallet.factories import fund

pytestmark = pytest.mark.django_db


def test_a_bought_challenge_shows_its_bars_and_rules(cast: Cast) -> None:
    fund(cast.client, 20_000)
    challenge = buy(cast, size_of(make_version(cast)))
    row = challenge.accounts.get()
    row.state, row.started_at = StageState.RUNNING, timezone.now()
    row.save()
    assert not objectives_of(row)
    row.account.balance, row.account.equity, row.account.synced_at = 10_400, 9_200, timezone.now()
    row.account.save(update_fields=["balance", "equity", "synced_at"])
    page = signed_in(cast.client.user).get(f"/portal/challenges/{challenge.pk}/").content.decode()
    assert "€400.00 of €800.00" in page
    assert "€200.00 of €1,000.00 left" in page
    assert "Reach a profit of 8 % with all positions closed." in page
    assert signed_in(cast.other_client.user).get(f"/portal/challenges/{challenge.pk}/").status_code == 404
    staff = signed_in(cast.administrator).get(f"/prop/challenges/{challenge.pk}/")
    assert "€400.00 of €800.00" in staff.content.decode()
    assert AccessEvent.objects.filter(target=f"prop.challenge:{challenge.pk}", user=cast.administrator).count() == 1
    assert signed_in(cast.agent).get(f"/prop/challenges/{challenge.pk}/").status_code == 403


def test_equity_is_drawn_against_the_limits_of_each_day(cast: Cast) -> None:
    """A limit that trails the balance is drawn as the day began: it rose to 9,300 only once the balance had."""
    row = run_phase(cast, max_loss_kind="trailing_balance")
    for day, profit in enumerate((300, -100)):
        earn(row, day * 86_400, start=Decimal(10_000 + 300 * day), profit=Decimal(profit))
    page = signed_in(cast.client.user).get(f"/portal/challenges/{row.challenge_id}/").content.decode()
    first, second = (f"Mar {day}, 2026: Lowest equity {text}" for day, text in ((2, "€10,000.00"), (3, "€10,200.00")))
    assert f"{first}, Daily loss €9,500.00, Maximum loss €9,000.00" in page
    assert f"{second}, Daily loss €9,800.00, Maximum loss €9,300.00" in page
    assert page.count('class="limit ') == 3
    assert "Equity and limits" in signed_in(cast.finance).get(f"/prop/challenges/{row.challenge_id}/").content.decode()


def test_days_are_shown_by_month_each_with_what_it_won_or_lost(cast: Cast) -> None:
    row = run_phase(cast)
    for day, start, profit in ((0, 10_000, 300), (1, 10_300, -100), (40, 10_200, 50)):
        earn(row, day * 86_400, start=Decimal(start), profit=Decimal(profit))
    address, browser = f"/portal/challenges/{row.challenge_id}/", signed_in(cast.client.user)

    def shown(month: str) -> tuple[str, list[str]]:
        page = browser.get(f"{address}?month={month}").content.decode().partition('id="calendar"')[2]
        results = re.findall(r'k-day-result tone-(\w+) num" title="([^"]+)"', page)
        return re.findall(r"<strong>([A-Z][a-z]+ 2026)</strong>", page)[0], [f"{tone} {text}" for tone, text in results]

    march = ("March 2026", ["success €300.00", "danger −€100.00"])
    assert shown("2026-03") == march
    assert shown("") == shown("2026-99") == shown("x") == ("April 2026", ["success €50.00"])
    assert "?month=2026-03#calendar" in browser.get(address).content.decode()
    assert (
        "€200.00 in this month"
        in signed_in(cast.finance).get(f"/prop/challenges/{row.challenge_id}/?month=2026-03").content.decode()
    )


def test_a_draft_is_written_proposed_and_shown(cast: Cast) -> None:
    version = make_draft(cast)
    browser = signed_in(cast.administrator)
    wrong = browser.post(f"/prop/versions/{version.pk}/edit/", {"terms": "currency: EUR"})
    assert wrong.status_code == 422
    assert "is missing" in wrong.content.decode()
    longer = text_of().decode().replace("payout_days: 14", "payout_days: 7")
    assert browser.post(f"/prop/versions/{version.pk}/edit/", {"terms": longer}).status_code == 302
    assert browser.post(f"/prop/versions/{version.pk}/propose/", {"reason": "New season"}).status_code == 302
    page = signed_in(cast.finance).get(f"/prop/programmes/{version.programme_id}/").content.decode()
    assert "Payouts every 7 days." in page
    assert "Approve" in page
    assert b"payout_days: 7" in browser.get(f"/prop/versions/{version.pk}/terms.yaml").content


def test_coupons_and_the_first_version_start_from_forms(cast: Cast) -> None:
    make_draft(cast)
    browser = signed_in(cast.administrator)
    day = timezone.localdate().isoformat()
    given = {"brand": cast.brand.pk, "code": "june-1", "percent": "10", "uses_max": "5", "last_day": day}
    assert browser.post("/prop/coupons/", given).status_code == 302
    assert "JUNE-1" in browser.get("/prop/coupons/").content.decode()
    new = {"brand": cast.brand.pk, "name": "Fast", "description": "", "start": "instant"}
    answer = browser.post("/prop/programmes/new/", new)
    assert "max_loss_kind: trailing_balance" in browser.get(answer.headers["Location"]).content.decode()


@pytest.mark.parametrize(
    ("rule", "threshold", "said"),
    [
        ("daily_loss", "9500", "equity was €9,400.00; the limit was €9,500.00."),
        ("inactivity", "30", "the limit was 30 days."),
    ],
)
def test_a_breach_says_its_limit_in_its_own_unit(cast: Cast, rule: str, threshold: str, said: str) -> None:
    fund(cast.client, 20_000)
    challenge = buy(cast, size_of(make_version(cast)))
    row = challenge.accounts.get()
    row.state, row.started_at, row.ended_at = StageState.BREACHED, timezone.now(), timezone.now()
    row.save()
    figures = {"balance": 10_000, "equity": 9_400, "threshold": Decimal(threshold), "evidence": {}}
    Breach.objects.create(phase_account=row, judged_account=row, rule=rule, occurred_at=timezone.now(), **figures)
    for user, address in ((cast.client.user, "/portal/challenges/"), (cast.administrator, "/prop/challenges/")):
        page = signed_in(user).get(f"{address}{challenge.pk}/").content.decode()
        assert said in strip_tags(page)


def test_programmes_are_compared_with_prices_in_the_own_currency(cast: Cast) -> None:
    version = make_version(cast)
    FxRate.objects.create(on=timezone.localdate(), currency="USD", rate="1.25")
    assert compare([version], rates_to("EUR", {"EUR"}), "EUR")[0].own_fee == ""
    (line,) = compare([version], rates_to("USD", {"EUR"}), "USD")
    assert (line.targets, line.daily_loss, line.maximum_loss, line.days, line.split) == (
        "8 % · 5 %",
        "5 %",
        "10 %",
        4,
        "80 %",
    )
    assert (line.fee, line.own_fee) == (99, "about $123.75")
    fund(cast.client, 50, "USD")
    browser = signed_in(cast.client.user)
    assert "about $123.75" in browser.get("/portal/challenges/").content.decode()
    assert "about $123.75" in browser.get(f"/portal/challenges/buy/{size_of(version).pk}/").content.decode()


def test_a_brand_whose_demo_accounts_are_bought_says_so(cast: Cast) -> None:
    server = make_version(cast).account_type.server
    browser, address = signed_in(cast.client.user), "/portal/accounts/open/?money=demo"
    page = browser.get(address).content.decode()
    assert "No free demo accounts" in page and 'href="/portal/challenges/"' in page
    assert "<h2>Challenge</h2>" not in page
    make_type(cast.brand, server, name="Practice", is_demo=True, is_default=False, kyc_level=0)
    page = browser.get(address).content.decode()
    assert "No free demo accounts" not in page and "<h2>Practice</h2>" in page
