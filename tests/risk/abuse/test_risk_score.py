"""`manage.py risk_score`: files as MT4 and MT5 export them, and files that are wrong."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from risk.abuse import files
from risk.abuse.moments import epoch_ms


def score(path, quotes=None) -> dict:
    out = StringIO()
    more = ["--quotes", str(quotes)] if quotes else []
    call_command("risk_score", "--import", str(path), *more, "--json", stdout=out)
    return json.loads(out.getvalue())


MT5 = "Login\tDeal\tPosition\tTime\tSymbol\tType\tEntry\tVolume\tPrice\tSwap\tProfit\tComment\n"


def test_mt5_deals_become_round_trips_and_hedges_are_found(tmp_path):
    lines = ["1\t\t\t2026.01.05 06:00:00\t\tbalance\t\t\t\t\t1 000,00\tDeposit\n"]
    for n in range(8):
        hour = f"2026.01.{5 + n // 4:02} {8 + n % 4 * 2:02}"
        for login, side, other, won in ((1, "buy", "sell", 50), (2, "sell", "buy", -50)):
            number = 100 * n + login
            lines.append(
                f"{login}\t{number}\t{number}\t{hour}:00:0{login}.250\tEURUSD.m\t{side}\tin\t1.0\t1.1\t0\t0\t\n"
            )
            lines.append(f"{login}\t{number}9\t{number}\t{hour}:40:00\tEURUSD.m\t{other}\tout\t1.0\t1.1\t0\t{won}\t\n")
    path = tmp_path / "deals.csv"
    path.write_text(MT5 + "".join(lines))
    said = score(path)
    assert (said["trades"], said["accounts"], said["unreadable"]) == (16, 2, 0)
    (found,) = said["findings"]
    assert (found["kind"], found["accounts"], found["at_stake"]) == ("hedge", ["1", "2"], "400.00")
    assert len(found["evidence"]) == 16 and "8 times" in found["text"]
    assert found["handling"] == "review_withdrawals"


def test_mt4_orders_with_two_columns_called_time_and_price(tmp_path):
    rows = "".join(
        f"{n};7;2026.01.05 {n % 20:02}:00:00;buy;0.10;EURUSD;1.1;2026.01.05 {n % 20:02}:00:20;1.1;0;2.5\n"
        for n in range(30)
    )
    path = tmp_path / "orders.csv"
    path.write_text("Ticket;Login;Time;Type;Size;Item;Price;Time;Price;Swap;Profit\n" + rows)
    said = score(path)
    assert [row["kind"] for row in said["findings"]] == ["scalping"]
    assert said["columns"]["symbol"] == "Item" and said["symbols_without_quotes"] == ["EURUSD"]
    quotes = tmp_path / "quotes.csv"
    quotes.write_text("Symbol,Time,Bid,Ask\nUSDJPY,1767571200,150,150.1\n")
    said = score(path, quotes)
    assert said["symbols_without_quotes"] == ["EURUSD"]
    assert {row["kind"] for row in said["not_judged"]} == {"latency", "toxic", "news"}
    assert "30 of 30" in said["not_judged"][0]["reason"]


def test_errors_name_row_and_column_and_the_rest_is_judged(tmp_path):
    path = tmp_path / "deals.csv"
    path.write_text(
        "login,type,symbol,lots,open time,open price,close time,close price,profit\n"
        "1,buy,EURUSD,0.1,2026-01-05T08:00:00Z,1.1,2026-01-05T08:10:00Z,1.1,5\n"
        "1,buy,EURUSD,much,2026-01-05T08:00:00Z,1.1,,,5\n"
        "1,buy,EURUSD,0.1,yesterday,1.1,,,5\n"
        "1,perhaps,EURUSD,0.1,2026-01-05T08:00:00Z,1.1,,,5\n"
        ",buy,EURUSD,0.1,2026-01-05T08:00:00Z,1.1,,,5\n"
        "1,sell,EURUSD,-1,2026-01-05T08:00:00Z,nan,,,5\n"
    )
    said = score(path)
    assert (said["trades"], said["unreadable"]) == (1, 5)
    assert said["errors"][0] == "row 3, column lots: “much” can't be read"
    assert said["errors"][1].startswith("row 4, column open time")
    assert said["errors"][3] == "row 6, column login: “” can't be read"


def test_files_that_say_nothing_are_refused_in_a_sentence(tmp_path, monkeypatch):
    path = tmp_path / "deals.csv"
    for text, says in (("a,b\n1,2\n", "columns are missing"), ("login,type,time\n", "no rows"), ("", "no rows")):
        path.write_text(text)
        with pytest.raises(CommandError, match=says):
            score(path)
    with pytest.raises(CommandError, match="There is no file"):
        score(tmp_path / "none.csv")
    path.write_text("login,type,time\n" + "1,balance,2026-01-05 08:00\n" * 9)
    monkeypatch.setattr(files, "DEALS_MAX", 5)
    with pytest.raises(CommandError, match="more than 5 rows"):
        score(path)
    path.write_text('login,type,time\n"' + "x" * 5000)
    with pytest.raises(CommandError, match="row 2"):
        score(path)
    monkeypatch.setattr(files, "BYTES_MAX", 10)
    with pytest.raises(CommandError, match="larger than"):
        score(path)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1767571200", 1767571200000),
        ("1767571200123", 1767571200123),
        ("1767571200123456", 1767571200123),
        ("2026.01.05 00:00:00.123", 1767571200123),
        ("2026-01-05T02:00:00+02:00", 1767571200000),
        ("2026-01-05T00:00Z", 1767571200000),
        ("2026.13.05 00:00:00", None),
        ("12", None),
        ("", None),
    ],
)
def test_times_are_read_as_platforms_write_them(text, ms):
    assert epoch_ms(text) == ms


def test_clock_of_the_quotes_may_run_in_another_zone(tmp_path):
    deals, quotes = tmp_path / "deals.csv", tmp_path / "quotes.csv"
    at = [1767600000 + 60 * n for n in range(200)]
    price = [1.1 + (n * 37 % 100) / 2000 for n in range(200)]
    quotes.write_text(
        "symbol,time,bid,ask\n"
        + "".join(f"EURUSD,{t + 7200},{p:.5f},{p + 0.0001:.5f}\n" for t, p in zip(at, price, strict=True))
    )
    deals.write_text(
        "login,type,symbol,lots,open time,open price\n"
        + "".join(f"1,buy,EURUSD,0.1,{t},{p + 0.0001:.5f}\n" for t, p in zip(at[:150], price, strict=False))
    )
    said = score(deals, quotes)
    assert said["clock_shift_ms"] == 7_200_000 and not said["not_judged"]


ORDERS = "login,type,symbol,lots,open time,open price,close time,close price,profit\n"


def test_impossible_times_and_closings_without_their_opening_are_said(tmp_path):
    path = tmp_path / "deals.csv"
    path.write_text(
        ORDERS
        + "1,buy,EURUSD,0.1,2026-01-05T08:00:00Z,1.1,2026-01-05T08:10:00Z,1.1,5\n"
        + "1,buy,EURUSD,0.1,2026-01-05T08:00:00Z,1.1,2026-01-05T07:59:59Z,1.1,5\n"  # closed before it opened
        + "1,buy,EURUSD,0.1,2098-01-05T08:00:00Z,1.1,,,0\n"
        + "1,buy,EURUSD,0.1,2026-01-05T08:00:00Z,1.1,2098-01-05T07:59:59Z,1.1,5\n"
    )
    said = score(path)
    assert (said["trades"], said["left_out"], said["ahead"], said["unreadable"]) == (3, 1, 2, 0)
    assert said["notes"] == [
        "1 trade was left out: by its times it closed before it opened.",
        "2 trades lie in the future: the platform's clock runs ahead.",
    ]
    path.write_text(MT5 + "1\t2\t9\t2026.01.05 08:00:00\tEURUSD\tsell\tout\t1.0\t1.1\t0\t5\t\n")
    said = score(path)
    assert (said["trades"], said["without_opening"]) == (0, 1) and len(said["notes"]) == 1


def test_rows_symbols_and_amounts_are_bounded(tmp_path, monkeypatch):
    path = tmp_path / "deals.csv"
    order = "1,buy,{},0.1,2026-01-05T08:00:00Z,1.1,2026-01-05T08:10:00Z,1.1,{}\n"
    amounts = ("1e9999999", "1e-9999999", "1e99999999999999999999", "1e13", "-inf", "1e12")
    path.write_text(ORDERS + "".join(order.format("EURUSD", amount) for amount in amounts))
    said = score(path)
    assert (said["trades"], said["unreadable"]) == (2, 4)
    for text, says in (
        (ORDERS + order.format("EURUSD", "1e12") * 500, "add up"),
        (ORDERS + "".join(order.format(f"S{n}", 1) for n in range(20)), "more than 9 symbols"),
        (ORDERS + "1,buy" + "," * 70_000, "more than 64000 characters"),
        ("login" * 20_000, "more than 64000 characters"),
        (ORDERS + '"' + "x\n" * 40_000, "more than 64000 characters"),
    ):
        path.write_text(text)
        monkeypatch.setattr(files, "SYMBOLS_MAX", 9)
        with pytest.raises(CommandError, match=says):
            score(path)
