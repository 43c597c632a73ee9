"""`bench trading` on a few deals: each part measures what it says, and nothing is lost on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import trading_deals, trading_money, trading_platforms
from trading.models import AccountResult, Deal
from trading.sync import results

pytestmark = pytest.mark.django_db(transaction=True)


def test_deals_go_in_beside_copy_and_history_leaves_nothing_out(tmp_path: Path) -> None:
    brand, server = trading_deals.house(20)
    figures = trading_deals.ingest_beside_copy(server, 200, 2, 20)
    assert [figure.unit for figure in figures] == ["1/s", "1/s", "ms", "1/s"] and figures[1].ratio
    figures = trading_deals.backfill(server, tmp_path, 1_000, 20)
    assert next(figure for figure in figures if figure.name == "deals that are missing").value == 0
    assert Deal.objects.filter(server=server).count() == 1_400 + trading_deals.WARM
    assert trading_deals.sums(1_500)[0].value > 0
    assert results.differences() == 0 and AccountResult.objects.filter(period="m").exists()
    pages = trading_deals.pages(brand, "tiny", 1_000)
    assert [figure.name for figure in pages if figure.goal] and all(figure.value > 0 for figure in pages)


def test_every_accounts_equity_comes_over_the_socket() -> None:
    figures = trading_money.run("tiny")
    assert next(figure for figure in figures if figure.name == "accounts without their equity").value == 0


def test_a_trade_on_each_platform_arrives_in_the_table() -> None:
    figures = trading_platforms.run("tiny")
    assert [figure.value for figure in figures if "did not arrive" in figure.name] == [0, 0, 0, 0]
    lags = {figure.name.partition(":")[0]: figure for figure in figures if figure.goal.startswith("ms")}
    assert lags.keys() == {"MetaTrader 4", "cTrader", "Match-Trader", "Sirix"}
