"""Margin levels that fall are told once per crossing, in the client's language, and shown to those who may act."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from clients.models import Message
from crm.errors import DomainError
from crm.events import drain
from crm.models import Notification, OutboxEvent
from crm.security.policies import NotAllowed
from tests.cast import Cast
from tests.trading.factories import make_account, make_server
from trading.models import MarginAlert, MarginPolicy, TradingAccount, TradingServer
from trading.platforms.base import AccountMoney
from trading.risk import margin
from trading.sync import money

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> TradingServer:
    return make_server()


@pytest.fixture
def account(cast: Cast, server: TradingServer) -> TradingAccount:
    return make_account(cast.client, server, login="1")


def read(server: TradingServer, *levels: int, login: str = "1") -> None:
    """The account's money as the platform says it, at each margin level in turn (0: no open position)."""
    for level in levels:
        used = Decimal(1000) if level else Decimal(0)
        equity = Decimal(level * 10) if level else Decimal(5000)
        row = AccountMoney(login, Decimal(5000), Decimal(0), equity - 5000, equity, used, equity - used, Decimal(level))
        with transaction.atomic():
            money.write(server, [row])
            margin.watch(server, [login])


def told(user: Any) -> list[str]:
    return list(
        Notification.objects.filter(user=user, kind="trading.margin").order_by("pk").values_list("title", flat=True)
    )


def test_client_and_agent_are_told_once_per_crossing(
    cast: Cast, account: TradingAccount, server: TradingServer
) -> None:
    read(server, 300, 119, 121, 118, 125, 119)  # swings around 120, never above 130
    drain()
    assert told(cast.agent) == [f"Warning: {cast.client}, 119 %"]
    assert len(told(cast.client_user)) == 1
    letter = Message.objects.get(client=cast.client, template="trading.margin_warning")
    assert "119 %" in letter.subject and "120 %" in letter.body
    read(server, 131, 119)
    drain()
    assert len(told(cast.agent)) == 2 and MarginAlert.objects.filter(severity="warning").count() == 2


def test_a_fall_through_several_limits_is_told_as_the_deepest(
    cast: Cast, account: TradingAccount, server: TradingServer
) -> None:
    read(server, 300, 40)
    drain()
    assert set(MarginAlert.objects.values_list("severity", flat=True)) == {"warning", "call", "stop"}
    assert [event.payload["severity"] for event in OutboxEvent.objects.filter(name="trading.margin_level_fell")] == [
        "stop"
    ]
    assert Message.objects.get(client=cast.client).template == "trading.margin_stop"
    read(server, 0)  # everything is closed: nothing is in danger any more
    assert not MarginAlert.objects.filter(recovered_at=None).exists()
    read(server, 90)
    drain()
    assert Message.objects.filter(template="trading.margin_call").count() == 1


def test_the_client_reads_it_in_their_language(cast: Cast, account: TradingAccount, server: TradingServer) -> None:
    cast.client.language = "de"
    cast.client.save(update_fields=["language"])
    cast.client_user.language = "de"
    cast.client_user.save(update_fields=["language"])
    read(server, 90)
    drain()
    assert Message.objects.get(client=cast.client).subject == "Margin Call auf Konto 1"
    notice = Notification.objects.get(user=cast.client_user, kind="trading.margin")
    assert notice.title == "Das Margin-Level von Konto 1 beträgt 90 %" and "freie Margin" in notice.body
    assert notice.url == f"/portal/accounts/{account.pk}/"


def test_a_brands_policy_says_when_and_whom(cast: Cast, account: TradingAccount, server: TradingServer) -> None:
    margin.set_policy(
        brand_id=cast.brand.pk,
        actor=cast.administrator,
        warning_at=Decimal(200),
        call_at=Decimal(80),
        hysteresis=Decimal(0),
        tells_client=False,
        writes_letters=False,
    )
    read(server, 150, 200, 199)
    drain()
    assert len(told(cast.agent)) == 2  # without hysteresis 200 is above again
    assert told(cast.client_user) == [] and not Message.objects.exists()
    margin.set_policy(brand_id=cast.brand.pk, actor=cast.administrator, is_enabled=False)
    read(server, 0, 20)
    assert MarginAlert.objects.filter(recovered_at=None).count() == 0


def test_demo_accounts_are_watched_only_where_the_brand_wants_it(cast: Cast, server: TradingServer) -> None:
    make_account(cast.client, server, login="5", is_demo=True)
    read(server, 90, login="5")
    assert not MarginAlert.objects.exists()
    margin.set_policy(brand_id=cast.brand.pk, actor=cast.administrator, includes_demo=True)
    read(server, 90, login="5")
    assert MarginAlert.objects.count() == 2


def test_limits_descend_and_only_who_may_sets_them(cast: Cast) -> None:
    with pytest.raises(DomainError, match="descend"):
        margin.set_policy(brand_id=cast.brand.pk, actor=cast.administrator, call_at=Decimal(130))
    with pytest.raises(NotAllowed):
        margin.set_policy(brand_id=cast.brand.pk, actor=cast.agent, call_at=Decimal(90))
    with pytest.raises(IntegrityError), transaction.atomic():
        MarginPolicy.objects.create(brand=cast.brand, warning_at=50, call_at=100)


def test_accounts_near_a_margin_call_are_listed_the_lowest_first(
    cast: Cast, account: TradingAccount, server: TradingServer, browse, django_assert_max_num_queries
) -> None:
    other = make_account(cast.other_client, server, login="2")
    calm = make_account(cast.client, server, login="3")
    read(server, 90)
    read(server, 150, login="2")
    read(server, 900, login="3")
    page = browse(cast.finance)
    page.get("/trading/margin/")
    with django_assert_max_num_queries(14):
        text = page.get("/trading/margin/").content.decode()
    assert text.index(f"/trading/accounts/{account.pk}/") < text.index(f"/trading/accounts/{other.pk}/")
    assert f"/trading/accounts/{calm.pk}/" not in text and "Margin call" in text
    mine = browse(cast.agent).get("/trading/margin/").content.decode()
    assert f"/trading/accounts/{other.pk}/" not in mine
    filtered = page.get("/trading/margin/?alert_severity=call").content.decode()
    assert f"/trading/accounts/{account.pk}/" in filtered and f"/trading/accounts/{other.pk}/" not in filtered
    assert "margin level below" in browse(cast.agent).get(f"/trading/accounts/{account.pk}/").content.decode()


def test_the_limits_page_keeps_what_was_typed(cast: Cast, browse, django_assert_max_num_queries) -> None:
    browser = browse(cast.administrator)
    path = f"/trading/margin/limits/{cast.brand.code}/"
    values = {"is_enabled": "on", "warning_at": "90", "call_at": "100", "stop_at": "50", "hysteresis": "10"}
    answer = browser.post(path, values)
    assert (
        answer.status_code == 422 and "descend" in answer.content.decode() and 'value="90"' in answer.content.decode()
    )
    assert browser.post(path, {**values, "warning_at": "140"}).status_code == 302
    assert MarginPolicy.objects.get(brand=cast.brand).warning_at == 140
    with django_assert_max_num_queries(12):
        assert "140" in browser.get("/trading/margin/limits/").content.decode()
