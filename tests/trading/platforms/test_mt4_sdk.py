"""The sandbox MT4 server driven by `mywebapi-sdk`, a client of the real bridge that was not written here.

Rows are read back through the client's own generated models, which know every name, every enumeration and every time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from cplugin_webapi_sdk import (
    ApiError,
    CPluginWebApiClient,
    collect_all_sync,
    is_outcome_unknown,
    is_safe_to_retry,
    unwrap,
)
from cplugin_webapi_sdk._generated.api import (
    mt4_v_2_authentication,
    mt4_v_2_groups,
    mt4_v_2_history,
    mt4_v_2_margins,
    mt4_v_2_sidecar_batch_reads,
    mt4_v_2_symbols,
    mt4_v_2_trades,
    mt4_v_2_users,
)
from cplugin_webapi_sdk._generated.models import (
    MT4Group,
    MT4MarginLevel,
    MT4SymbolConfig,
    MT4Trade,
    MT4TradeTransaction,
    MT4User,
    MT4UserCreate,
)

from tests.trading.mt4_lab import Mt4Lab

AREAS = {
    "auth": mt4_v_2_authentication,
    "groups": mt4_v_2_groups,
    "history": mt4_v_2_history,
    "margins": mt4_v_2_margins,
    "sync": mt4_v_2_sidecar_batch_reads,
    "symbols": mt4_v_2_symbols,
    "trades": mt4_v_2_trades,
    "users": mt4_v_2_users,
}


def operation(area: str, method: str, name: str) -> Any:
    """The client's generated module of one call."""
    return import_module(f"{AREAS[area].__name__}.{method}_api_v_2_mt4_trade_platform_{name}")


@pytest.fixture
def sdk(mt4: Mt4Lab) -> Iterator[CPluginWebApiClient]:
    with CPluginWebApiClient(
        env="custom", api_base_url=mt4.url, authority=mt4.url, client_id="keelson", client_secret=mt4.secret, retries=0
    ) as client:
        yield client


class Bridge:
    """One trade platform, as the client's documentation calls it."""

    def __init__(self, sdk: CPluginWebApiClient) -> None:
        self.sdk, self.platform = sdk, sdk.list_trade_platforms()[0]["id"]

    def __call__(self, area: str, method: str, name: str, **given: Any) -> Any:
        return unwrap(self.sdk.mt4.raw(operation(area, method, name), trade_platform=self.platform, **given))


def deposit(login: int, amount: float, comment: str) -> MT4TradeTransaction:
    return MT4TradeTransaction(
        trade_transaction_type="BrBalance", trade_command="Balance", order_by=login, price=amount, comment=comment
    )


def test_a_foreign_client_makes_an_account_pays_in_trades_and_reads_everything_back(
    mt4: Mt4Lab, sdk: CPluginWebApiClient
) -> None:
    bridge = Bridge(sdk)
    started = dt.datetime.fromisoformat(sdk.mt4.get_server_time(bridge.platform))
    assert sdk.mt4.get_manager_common(bridge.platform)["name"] == "Keelson-Sandbox"
    assert sdk.mt4.group_exists(bridge.platform, "real-std-EUR") and not sdk.mt4.group_exists(bridge.platform, "x")
    body = MT4UserCreate(login=0, group="real-std-EUR", name="John Smith", email="john@example.com", leverage=30)
    made = MT4User.from_dict(bridge("users", "post", "user_record_new", body=body, idempotency_key="sdk-account"))
    again = bridge("users", "post", "user_record_new", body=body, idempotency_key="sdk-account")
    assert made.login == again["login"] and (made.name, made.enable_flags) == ("John Smith", 3)
    login = int(made.login)  # type: ignore[arg-type]
    assert bridge("auth", "post", "user_password_set_login", login=login, body="Abcdef12") is True
    assert bridge("auth", "post", "user_password_check_login", login=login, body="Abcdef12") is True
    assert sdk.mt4.patch_user_record(bridge.platform, login, {"leverage": 20})["leverage"] == 20

    booked = bridge(
        "trades", "post", "trade_transaction", body=deposit(login, 5000.25, "Deposit #1"), idempotency_key="sdk-1"
    )
    repeated = bridge(
        "trades", "post", "trade_transaction", body=deposit(login, 5000.25, "Deposit #1"), idempotency_key="sdk-1"
    )
    assert booked["order"] == repeated["order"] and mt4.booked(str(login)) == ["5000.25"]
    assert sdk.mt4.get_user_record(bridge.platform, login)["balance"] == 5000.25

    mt4.close(mt4.trade(str(login), "EURUSD", "0.10"))
    position = mt4.trade(str(login), "XAUUSD", "0.05")
    history = [
        MT4Trade.from_dict(row)
        for row in bridge(
            "history", "get", "trades_user_history_login", login=login, from_time=started.replace(tzinfo=dt.UTC)
        )
    ]
    assert [(row.trade_command, row.trade_record_state, row.volume) for row in history] == [
        ("Balance", "ClosedNormal", 0),
        ("Buy", "ClosedNormal", 10),
    ]
    assert history[1].open_time >= started and history[1].volume_lots == 0.1  # type: ignore[operator]
    open_now, meta = sdk.mt4.trades_request(bridge.platform, group="real-std-EUR", limit=100)
    assert position in {MT4Trade.from_dict(row).order for row in open_now} and meta.paging.has_more is False
    margin = MT4MarginLevel.from_dict(bridge("margins", "get", "margin_level_get_login", login=login))
    assert margin.margin > 0 and margin.level_type == "Ok"  # type: ignore[operator]
    assert login in {row["login"] for row in bridge("margins", "get", "margins_get")}


def test_a_foreign_client_lists_pages_and_reads_the_sync_session(mt4: Mt4Lab, sdk: CPluginWebApiClient) -> None:
    bridge = Bridge(sdk)
    users = collect_all_sync(lambda cursor: sdk.mt4.users_request(bridge.platform, cursor=cursor, limit=3))
    assert {600001, 600011} <= {MT4User.from_dict(user).login for user in users}
    groups = [MT4Group.from_dict(row) for row in bridge("groups", "get", "groups_get")]
    assert {"EUR", "JPY"} <= {group.currency for group in groups}
    symbols = [MT4SymbolConfig.from_dict(row) for row in sdk.mt4.list_symbol_configs(bridge.platform)]
    assert {(row.symbol, row.contract_size) for row in symbols} >= {("EURUSD.m", 100_000), ("XAUUSD.m", 100)}
    assert sdk.mt4.get_symbol_info(bridge.platform, symbol="EURUSD.m")["digits"] == 5
    assert bridge("trades", "post", "trades_sync_start", timestamp=0) is True
    rows = [MT4Trade.from_dict(row) for row in bridge("sync", "get", "trades_sync_read", limit=100_000)]
    assert len({row.order for row in rows}) == len(rows) > 400
    chained = [row for row in rows if str(row.comment).startswith("from #")]
    assert chained and all(
        row.trade_record_state in ("ClosedNormal", "ClosedPart", "ClosedBy", "OpenNormal") for row in chained
    )


def test_a_foreign_client_is_told_what_a_failure_means(mt4: Mt4Lab, sdk: CPluginWebApiClient) -> None:
    bridge, login = Bridge(sdk), int(mt4.account())
    with pytest.raises(ApiError) as missing:
        sdk.mt4.get_user_record(bridge.platform, 99999999)
    assert missing.value.code == "NotFound" and missing.value.activity_id
    body = deposit(login, 70.0, "Deposit #2")
    mt4.fault("outcome_unknown", "money")
    with pytest.raises(ApiError) as unknown:
        bridge("trades", "post", "trade_transaction", body=body, idempotency_key=f"sdk-{login}", request_timeout=2)
    assert is_outcome_unknown(unknown.value) and unknown.value.outcome == "unknown"
    # As the client's documentation says: repeat with the same key, and the real result comes.
    assert bridge("trades", "post", "trade_transaction", body=body, idempotency_key=f"sdk-{login}")["order"]
    assert mt4.booked(str(login)) == ["70.00"]
    mt4.fault("not_started", "ServerTime")
    with pytest.raises(ApiError) as busy:
        sdk.mt4.get_server_time(bridge.platform)
    assert is_safe_to_retry(busy.value)
    with pytest.raises(ApiError) as refused:
        bridge("trades", "post", "trade_transaction", body=deposit(login, -500.0, "too much"))
    assert (refused.value.code, refused.value.manager_code) == ("MT4Error", "TradeNoMoney")
    mt4.fault("token_revoked", "ServerTime")
    assert sdk.mt4.get_server_time(bridge.platform)  # the client logs in again by itself
