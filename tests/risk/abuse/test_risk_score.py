"""`manage.py risk_score`: files as MT4 and MT5 export them, and files that are wrong."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from risk.abuse import files
from risk.abuse.book import amount_of
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


DEALS = "Time;Deal;Symbol;Type;Direction;Volume;Price;Order;Commission;Fee;Swap;Profit;Balance;Comment"
ORDERS_HEAD = "Ticket;Open Time;Type;Size;Item;Price;S / L;T / P;Close Time;Price;Commission;Taxes;Swap;Profit"
CTRADER = "ID,Symbol,Opening Direction,Opening Time (UTC+2),Closing Time (UTC+2),Entry Price,Closing Price,Closing Quantity,Net USD"


def report_of_mt5() -> bytes:
    """Deals below lines about the account, without the number of a position, as Windows saves them; then their totals."""
    lines = ["Trade History Report", "Account:;7001234 (USD, Broker-Real, real, Hedge)", "Deals", DEALS]
    lines.append("2026.01.05 07:00:00;1;;balance;;;;;0,00;0,00;0,00;10 000,00;10 000,00;deposit")
    for n in range(30):
        lines.append(f"2026.01.05 08:{n:02}:00;{2 * n};EURUSD.pro;buy;in;1,00;1,10;{n};0;0;0;0;0;")
        lines.append(f"2026.01.05 08:{n:02}:09;{2 * n + 1};EURUSD.pro;sell;out;1,00;1,10;{n};0;0;0;1.234,50;0;")
    return "\r\n".join([*lines, ";;;;;;;;0,00;0,00;0,00;37 035,00;;"]).encode("utf-16")


def statement_of_mt4() -> bytes:
    """A statement in HTML: cells over several columns, a pending order, a row of totals, and what is still open."""

    def row(*cells: object) -> str:
        return "<tr>" + "".join(cell if str(cell).startswith("<") else f"<td>{cell}</td>" for cell in cells) + "</tr>"

    def day(n: int, second: int) -> str:
        return f"2026.01.05 08:{n:02}:{second:02}"

    rows = [row("<td colspan=2><b>Account: 179865</b></td>", "<td colspan=2><b>Currency: EUR</b></td>")]
    rows += [row(*ORDERS_HEAD.split(";")), row(900, day(0, 0), "balance", "<td colspan=10>Deposit</td>", "5 000.00")]
    for n in range(30):
        rows.append(row(n, day(n, 0), "buy", "0.10", "eurusd", 1.1, 0, 0, day(n, 9), 1.1, "0.00", 0, 0, "1 234.50"))
    rows.append(
        row(901, day(0, 0), "sell limit", "0.10", "eurusd", 1.2, 0, 0, day(1, 0), 1.2, "<td colspan=4>cancelled</td>")
    )
    rows.append(row("<td colspan=10>&nbsp;</td>", "0.00", "0.00", "0.00", "37 035.00"))
    rows += [row(*ORDERS_HEAD.replace("Close Time", "").split(";"))]
    rows.append(row(990, day(40, 0), "sell", "0.10", "eurusd", 1.2, 0, 0, "", 1.2, 0, 0, 0, 5))
    return f"<!DOCTYPE HTML><html><body><table>{''.join(rows)}</table></body></html>".encode()


def history_of_ctrader() -> bytes:
    """Day first, its zone in the heading, lots with their unit."""
    times = ((f"{n % 28 + 1:02}/02/2026 11:30:00.000", f"{n % 28 + 1:02}/02/2026 11:30:09.000") for n in range(30))
    rows = [f"P{n},EURUSD,Buy,{a},{b},1.1,1.1,0.10 Lots,1234.50" for n, (a, b) in enumerate(times)]
    return "\n".join([CTRADER, *rows]).encode()


@pytest.mark.parametrize(
    ("content", "account", "counts"),
    [
        (report_of_mt5, "account 7001234", (30, 0, 1, 0)),
        (statement_of_mt4, "account 179865", (31, 1, 1, 0)),
        (history_of_ctrader, "file deals", (30, 0, 0, 0)),
    ],
)
def test_reports_of_one_account_are_read_as_platforms_save_them(tmp_path, content, account, counts):
    path = tmp_path / "deals.csv"
    path.write_bytes(content())
    said = score(path)
    assert (said["trades"], said["pending"], said["texts"], said["unreadable"]) == counts, said["errors"]
    assert said["columns"]["account"] == f"none: {account}"
    (found,) = said["findings"]
    assert (found["kind"], found["at_stake"]) == ("scalping", "37035.00")


PARTS = [(1.0, Decimal("3.34")), (2.0, Decimal("6.67"))]


def test_a_closing_over_two_openings_parts_its_result(tmp_path):
    """To the last unit; a closing before any opening is counted, and a day that may be a month isn't guessed."""
    path = tmp_path / "deals.csv"
    deals = ["01:00;1;sell;out;1;0.5", "02:00;2;buy;in;1;0", "03:00;3;buy;in;2;0", "04:00;4;sell;out;3;10.01"]
    head = "Time;Deal;Type;Direction;Volume;Profit;Price;Symbol\n"
    path.write_text(head + "".join(f"2026.01.05 {deal};1.1;EURUSD\n" for deal in deals))
    book, report = files.read_book(path)
    assert [(lots, amount_of(won)) for lots, won in zip(book.lots, book.profit, strict=True)] == PARTS
    assert report.without_opening == 1
    path.write_text("Open Date,Action,Units/Lots,Symbol,Open Price\n07/08/2026 10:00,Buy,1,EURUSD,1.1\n")
    with pytest.raises(CommandError, match=r"row 2, column Open Date.*whether the day or the month comes first"):
        score(path)


TICKS = {
    "EURUSD_Ticks_05.01.2026.csv": (
        "Gmt time,Ask,Bid,AskVolume,BidVolume",
        "05.01.2026 08:{:02}:00.123,1.10010,1.1,1,1",
    ),
    "DAT_ASCII_EURUSD_T_202601.csv": ("", "20260105 08{:02}00123,1.1,1.10010,0"),
    "truefx.csv": ("", "EUR/USD,20260105 08:{:02}:00.123,1.1,1.10010"),
    "EURUSD_202601.csv": (
        "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>",
        "2026.01.05\t08:{:02}:00.123\t{bid}\t1.1001\t\t\t6",
    ),
    "semicolons.csv": ("Symbol;Datum;Time;Bid;Ask", "EURUSD;x;05.01.2026 08:{:02}:00;1,1;1,1001"),
}


@pytest.mark.parametrize("name", TICKS)
def test_ticks_are_read_as_archives_give_them(tmp_path, name):
    """With a heading or without, the symbol in a column or in the file's name, prices that didn't change left out."""
    deals, quotes, bars = tmp_path / "deals.csv", tmp_path / name, tmp_path / "bars.csv"
    deals.write_bytes(report_of_mt5())
    head, line = TICKS[name]
    lines = [line.format(n, bid="1.1" if n == 0 else "") for n in range(40)]
    quotes.write_text("\n".join([head, *lines] if head else lines))
    said = score(deals, quotes)
    assert (said["quotes"], said["unreadable"], said["symbols_without_quotes"]) == (40, 0, []), said["errors"]
    bars.write_text("<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\n2026.01.05\t08:00:00\t1\t1\t1\t1\n")
    with pytest.raises(CommandError, match="has bars"):
        score(deals, bars)
    if name.startswith("DAT"):
        quotes.rename(tmp_path / "ticks.csv")
        with pytest.raises(CommandError, match="no traded symbol"):
            score(deals, tmp_path / "ticks.csv")


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
