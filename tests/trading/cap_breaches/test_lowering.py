"""Accounts above a cap: found, shown with what each would get, lowered by a job; lines of caps that end."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from crm.errors import WrongState
from crm.files.jobs import run_job
from crm.models import AuditEvent, Job, Notification
from tests.cast import Cast
from tests.kyc.categories.factories import categorise
from tests.trading.factories import make_account, make_type
from tests.trading.sandbox_server import Sandbox
from trading.cap_breaches import reduction
from trading.leverage import caps
from trading.models import AccountType, LeverageCap, Position, TradingAccount, TradingServer
from trading.platforms.base import Purpose
from trading.platforms.pool import platform_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def standard(cast: Cast, server: TradingServer) -> AccountType:
    return make_type(cast.brand, server, leverages=[10, 20, 30, 100])


@pytest.fixture
def account(cast: Cast, standard: AccountType, sandbox: Sandbox) -> TradingAccount:
    """A retail client's in Germany, with more than 1:30."""
    login = sandbox.new_account(LEVERAGE=100)
    return make_account(cast.client, standard.server, login=login, account_type=standard, leverage=100)


def with_a_position(account: TradingAccount) -> None:
    Position.objects.create(
        server=account.server,
        ticket=1,
        account=account,
        symbol="EURUSD",
        action=0,
        lots=1,
        contract_size=100_000,
        price_open=1,
        price_current=1,
        profit=0,
        swap=0,
        opened_at=timezone.now(),
        server_msc=0,
        synced_at=timezone.now(),
    )


def test_the_list_and_the_rule_for_one_account_agree(cast: Cast, account: TradingAccount) -> None:
    for country, category, leverage in (
        ("DE", "retail", 30),
        ("DE", "professional", 200),
        ("US", "retail", 50),
        ("ZA", "retail", 31),
        ("JP", "retail", 26),
        ("GB", "retail", 30),
        ("AU", "counterparty", 400),
    ):
        categorise(cast.client, category)
        cast.client.country = country
        cast.client.save(update_fields=["country"])
        TradingAccount.objects.filter(pk=account.pk).update(leverage=leverage)
        cap = caps.cap_for(cast.client)
        expected = [(account.pk, cap.leverage)] if cap is not None and leverage > cap.leverage else []
        assert [(one.account.pk, one.cap) for one in reduction.accounts_above(cast.mlro)] == expected, (
            country,
            category,
        )


def test_an_account_is_set_to_the_highest_step_that_it_may_have(cast: Cast, account: TradingAccount) -> None:
    (found,) = reduction.accounts_above(cast.mlro)
    assert (found.cap, found.proposal, found.is_for_the_job) == (30, 30, True)
    lowered = reduction.lower(account_id=account.pk, actor=cast.mlro)
    data = platform_for(account.server, Purpose.READS).read_account(account.login)
    assert data is not None and (lowered.leverage, data.leverage) == (30, 30)
    assert reduction.count_above(cast.mlro) == 0
    assert AuditEvent.objects.filter(action="trading.leverage_lowered", client_id=cast.client.pk).count() == 1
    assert Notification.objects.filter(user=cast.client_user, body__contains="ESMA").count() == 1
    with pytest.raises(WrongState, match="within its cap"):
        reduction.lower(account_id=account.pk, actor=cast.mlro)


def test_open_positions_are_left_to_people_and_demo_or_strange_accounts_are_not_meant(
    cast: Cast, account: TradingAccount
) -> None:
    make_account(cast.client, account.server, leverage=200, is_demo=True)
    make_account(cast.other_client, account.server, leverage=200, state="archived")
    with_a_position(account)
    (found,) = reduction.accounts_above(cast.mlro)
    assert found.has_positions and not found.is_for_the_job and reduction.due(cast.mlro) == []
    with pytest.raises(WrongState, match="open positions"):
        reduction.lower(account_id=account.pk, actor=cast.mlro)


def test_a_line_that_begins_later_finds_its_accounts_before(cast: Cast, account: TradingAccount, browse) -> None:
    TradingAccount.objects.filter(pk=account.pk).update(leverage=30)
    browser, day = browse(cast.mlro), timezone.now().date() + dt.timedelta(days=30)
    classes = LeverageCap.objects.filter(authority="ESMA", category="retail", valid_until__isnull=True)
    for line in classes:
        browser.post(
            "/trading/leverage-caps/",
            {
                "authority": "ESMA",
                "countries": ",".join(line.countries),
                "category": "retail",
                "instrument_class": line.instrument_class,
                "leverage": min(line.leverage, 10),
                "valid_from": day.isoformat(),
                "source": "Test",
            },
        )
    assert reduction.count_above(cast.mlro) == 0 and reduction.count_above(cast.mlro, on=day) == 1
    page = browser.get(f"/trading/leverage-caps/above/?on={day.isoformat()}").content.decode()
    assert account.login in page and "1:10" in page and "Lower leverage of 1 account" not in page


def test_the_page_previews_and_the_job_lowers(
    cast: Cast, account: TradingAccount, sandbox: Sandbox, browse, django_assert_max_num_queries
) -> None:
    browser = browse(cast.mlro)
    assert "1 account exceeds its leverage cap" in browser.get("/trading/leverage-caps/").content.decode()
    page = browser.get("/trading/leverage-caps/above/").content.decode()
    assert account.login in page and "Lower leverage of 1 account" in page
    assert browse(cast.auditor).post("/trading/leverage-caps/above/").status_code == 403
    browser.post("/trading/leverage-caps/above/")
    job = Job.objects.get(kind="trading.lower_leverage")
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "done", job.error
    account.refresh_from_db()
    assert account.leverage == 30
    assert "No account is above its cap" in browser.get("/trading/leverage-caps/above/").content.decode()
    for path, pin in {"/trading/leverage-caps/": 11, "/trading/leverage-caps/above/": 14}.items():
        with django_assert_max_num_queries(pin):
            browser.get(path)


def test_a_line_ends_on_a_day_that_a_person_says(cast: Cast, browse, db) -> None:
    line = LeverageCap.objects.filter(valid_until__isnull=True).first()
    assert line is not None
    browser, path = browse(cast.mlro), f"/trading/leverage-caps/{line.pk}/"
    assert "End cap" in browser.get(path).content.decode()
    wrong = browser.post(path, {"last_day": "2001-01-01"})
    assert wrong.status_code == 422 and "Past days can&#x27;t be changed" in wrong.content.decode()
    today = timezone.now().date()
    browser.post(path, {"last_day": today.isoformat()})
    line.refresh_from_db()
    assert line.valid_until == today
    assert browse(cast.administrator).get(path).status_code == 403
