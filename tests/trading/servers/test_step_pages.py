"""Pages about being in step: symbols, differences, days and the past, unknown deals, one deal with its edits."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from crm.models import AccessEvent, Job
from tests.cast import Cast
from tests.trading.factories import make_account, make_server
from tests.trading.made_up import made_up
from trading.choices import BreakKind
from trading.models import Backfill, DayCheck, PlatformGroup, PlatformIssue, ReconcileBreak, SymbolInfo, TradingServer
from trading.platforms.base import GroupData
from trading.sync import breaks, deals, settings, symbols
from trading.sync.ingest import mark_deleted

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(cast: Cast) -> TradingServer:
    server = make_server()
    make_account(cast.client, server, login="700123")
    now = timezone.now()
    deals.take_in(
        server,
        [
            made_up(1, login="700123"),
            made_up(2, login="700123", symbol="EURUSD.m"),
            made_up(3, login="700123", action=77, symbol=""),
            made_up(4, login="404", action=78, symbol=""),
        ],
    )
    deals.take_in(server, [made_up(1, login="700123", profit=Decimal("12.34"))])
    mark_deleted(server, [2], since=now - dt.timedelta(days=1), until=now + dt.timedelta(days=1))
    breaks.note_difference(
        server,
        breaks.Difference(
            kind=BreakKind.EXTRA,
            subject="2",
            day=now.date(),
            login="700123",
            ticket=2,
            evidence={"symbol": "EURUSD.m", "net": "0"},
        ),
    )
    DayCheck.objects.create(server=server, day=now.date(), platform_deals=2, our_deals=3, extra=1, checked_at=now)
    settings.store_groups(server, [group("real\\a", "100")])
    settings.store_groups(server, [group("real\\a", "120"), group("real\\b", "100")])
    return server


def group(name: str, margin_call: str) -> GroupData:
    return GroupData(name, "EUR", 2, True, Decimal(margin_call), Decimal(50), company="Broker Ltd", leverage=30)


def test_groups_are_kept_with_what_changed(cast: Cast, server: TradingServer, browse: Any) -> None:
    assert list(PlatformGroup.objects.values_list("name", "company", "leverage", "margin_call")) == [
        ("real\\a", "Broker Ltd", 30, 120),
        ("real\\b", "Broker Ltd", 30, 100),
    ]
    settings.store_groups(server, [group("real\\a", "120")])
    assert PlatformGroup.objects.get(name="real\\b").gone_at is not None
    for path in (f"/trading/servers/{server.pk}/", f"/trading/servers/{server.pk}/steps/"):
        text = browse(cast.administrator).get(path).content.decode()
        for shown in ("real\\a", "Broker Ltd", "1:30", "margin call", "120"):
            assert shown in text


def test_symbols_are_searched_filtered_and_confirmed_in_bulk(cast: Cast, server: TradingServer, browse: Any) -> None:
    browser = browse(cast.finance)
    text = browser.get("/trading/symbols/?state=unmapped").content.decode()
    assert "EURUSD.m" in text and "Without the suffix" in text and "Confirm proposals" in text
    assert "EURUSD.m" not in browser.get("/trading/symbols/?state=by_rule").content.decode()
    assert "EURUSD.m" in browser.get("/trading/symbols/?q=usd.m").content.decode()
    answer = browser.post("/trading/symbols/confirm/", {"all": "1", "query": "state=unmapped"})
    assert (answer.status_code, answer.url) == (302, "/trading/symbols/?state=unmapped")
    assert SymbolInfo.objects.get(name="EURUSD.m").canonical == "EURUSD"
    assert not PlatformIssue.objects.filter(kind="unmapped_symbol", closed_at__isnull=True).exists()
    assert browse(cast.auditor).post("/trading/symbols/confirm/", {"all": "1"}).status_code == 403


def test_one_symbol_is_mapped_on_its_page(cast: Cast, server: TradingServer, browse: Any) -> None:
    info = SymbolInfo.objects.get(name="EURUSD.m")
    browser, path = browse(cast.finance), f"/trading/symbols/{info.pk}/"
    assert 'value="EURUSD"' in browser.get(path).content.decode()
    values = {"name": "EURUSD", "symbol_group": "fx_majors", "instrument_class": "fx_major", "contract_size": "100"}
    wrong = browser.post(path, values)
    assert (
        wrong.status_code == 422
        and "Use the same values" in wrong.content.decode()
        and 'value="100"' in wrong.content.decode()
    )
    done = browser.post(path, {**values, "contract_size": "100000"})
    assert done.status_code == 302
    job = Job.objects.get(kind="trading.resolve_symbols")
    assert str(job.pk) in done.url
    assert browse(cast.auditor).post(path, values).status_code == 403
    assert browse(cast.agent).get(path).status_code == 403


def test_a_difference_shows_its_evidence_and_is_settled(cast: Cast, server: TradingServer, browse: Any) -> None:
    row = ReconcileBreak.objects.get()
    browser, path = browse(cast.finance), f"/trading/breaks/{row.pk}/"
    assert ">2<" in browser.get("/trading/breaks/").content.decode()
    text = browser.get(path).content.decode()
    for shown in ("EURUSD.m", "Deals on the platform", "Fetch again", "Resolve break"):
        assert shown in text
    assert browser.post(path, {"reason": ""}).status_code == 422
    assert browse(cast.auditor).post(path, {"reason": "x"}).status_code == 403
    assert browser.post(f"{path}fetch/").url.endswith(f"/{Job.objects.latest('pk').pk}/")
    assert browse(cast.auditor).post(f"{path}fetch/").status_code == 403
    assert browser.post(path, {"reason": "agreed with the dealer"}).status_code == 302
    assert "agreed with the dealer" in browser.get(path).content.decode()
    assert ">2<" not in browser.get("/trading/breaks/").content.decode()
    assert "Resolved manually" in browser.get("/trading/breaks/?state=settled").content.decode()


def test_the_past_is_ordered_from_the_servers_page(cast: Cast, server: TradingServer, browse: Any) -> None:
    path = f"/trading/servers/{server.pk}/steps/"
    browser = browse(cast.administrator)
    assert browser.post(path, {"first_day": "2999-01-01"}).status_code == 422
    assert browser.post(path, {"first_day": "2026-01-05"}).status_code == 302
    span = Backfill.objects.get(server=server)
    assert span.job is not None and span.first_day == dt.date(2026, 1, 5)
    assert "Jan 5, 2026" in browser.get(path, headers={"HX-Request": "true"}).content.decode()
    assert browser.post(path, {"first_day": "2026-01-06"}).status_code == 422
    assert browser.post(f"/trading/backfills/{span.pk}/drop/").status_code == 302
    assert browser.post(f"/trading/backfills/{span.pk}/nonsense/").status_code == 404
    assert browse(cast.finance).post(path, {"first_day": "2026-01-05"}).status_code == 403


def test_deals_of_an_unknown_kind_have_a_page_and_their_row(cast: Cast, server: TradingServer, browse: Any) -> None:
    text = browse(cast.finance).get("/trading/deals/unknown/").content.decode()
    assert "#77" in text and "#78" in text
    assert PlatformIssue.objects.get(kind="unknown_action", subject="77").details["row"]["ticket"] == "3"
    row = browse(cast.finance).get(f"/trading/deals/{server.pk}/4/")
    assert row.status_code == 200 and "Unknown account" in row.content.decode()
    assert browse(cast.agent).get(f"/trading/deals/{server.pk}/4/").status_code == 403


def test_a_deal_shows_what_the_platform_changed_in_it(cast: Cast, server: TradingServer, browse: Any) -> None:
    text = browse(cast.agent).get(f"/trading/deals/{server.pk}/1/").content.decode()
    assert "12.34" in text and "profit" in text
    assert AccessEvent.objects.filter(client_id=cast.client.pk, target__startswith="trading.deal:").count() == 1
    gone = browse(cast.agent).get(f"/trading/deals/{server.pk}/2/").content.decode()
    assert "A dealer deleted this deal" in gone and "deleted on the platform" in gone
    assert browse(cast.other_agent).get(f"/trading/deals/{server.pk}/1/").status_code == 404
    assert browse(cast.agent).get(f"/trading/deals/{server.pk}/999/").status_code == 404
    assert "Deleted on platform" in browse(cast.agent).get("/trading/deals/").content.decode()


def test_pages_take_the_same_queries_however_much_there_is(
    cast: Cast, server: TradingServer, browse: Any, django_assert_max_num_queries: Any
) -> None:
    info = SymbolInfo.objects.get(name="EURUSD.m")
    row = ReconcileBreak.objects.get()
    pins = {
        "/trading/symbols/": 13,
        f"/trading/symbols/{info.pk}/": 14,
        "/trading/breaks/": 13,
        f"/trading/breaks/{row.pk}/": 15,
        f"/trading/servers/{server.pk}/steps/": 15,
        "/trading/deals/unknown/": 13,
        f"/trading/deals/{server.pk}/1/": 14,
    }
    browser = browse(cast.administrator)
    for path in pins:
        browser.get(path)  # the first visit fills caches
    now = timezone.now()
    for number in range(40):
        breaks.note_difference(
            server, breaks.Difference(kind=BreakKind.COUNT, subject=f"d{number}", evidence={"platform": 1, "ours": 2})
        )
        day = now.date() - dt.timedelta(days=number + 1)
        DayCheck.objects.create(server=server, day=day, platform_deals=1, our_deals=1, checked_at=now)
    SymbolInfo.objects.bulk_create(
        [SymbolInfo(server=server, name=f"AB{number}", contract_size=1, read_at=now) for number in range(60)]
    )
    symbols.resolve(list(SymbolInfo.objects.filter(name__startswith="AB")))
    deals.take_in(server, [made_up(100 + number, login="404", action=99, symbol="") for number in range(60)])
    for path, most in pins.items():
        with django_assert_max_num_queries(most):
            assert browser.get(path).status_code == 200, path
