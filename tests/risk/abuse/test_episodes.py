"""From deals to an episode, its page and its decision; and what takes the ground from it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from clients.models import Client
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent, AuditEvent, FxRate, SubjectKey, WorkItem
from risk.abuse import grounds, scoring
from risk.abuse.choices import Abuse, EpisodeState, Handling, Lost
from risk.abuse.evidence import chart_of, parties_of, trades_of
from risk.abuse.models import AbuseEpisode, PairCount, ScoredTo, Tick
from risk.abuse.queue import decide_episode, episodes_visible_to, feedback
from tests.trading.factories import make_account, make_server
from trading.models import Deal, TradingAccount

MINUTE = dt.timedelta(minutes=1)
COLUMNS = (
    "server_id, ticket, account_id, login, server_msc, action, entry, symbol, lots, closed_lots, contract_size, price, "
    "price_position, profit, commission, swap, fee, position_id, order_id, raw, executed_at, synced_at"
)


def write_deals(rows) -> None:
    """Rows: (account, ticket, position, action, entry, lots, price, profit, when)."""
    values = [
        (
            a.server_id,
            ticket,
            a.pk,
            a.login,
            int(at.timestamp() * 1000),
            action,
            entry,
            "EURUSD",
            lots,
            lots if entry else 0,
            100_000,
            price,
            price,
            profit,
            0,
            0,
            0,
            position,
            0,
            "{}",
            at,
            at,
        )
        for a, ticket, position, action, entry, lots, price, profit, at in rows
    ]
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * 22)
        cursor.executemany(f"INSERT INTO trading_deal ({COLUMNS}) VALUES ({marks})", values)


def round_trips(account: TradingAccount, side: int, *, first: int, count: int = 8, late: int = 0, profit=50, hold=30):
    start = timezone.now().replace(microsecond=0) - dt.timedelta(days=6)
    for n in range(count):
        at = start + n * dt.timedelta(hours=9) + dt.timedelta(seconds=late)
        ticket = first + 2 * n
        yield account, ticket, ticket, side, 0, 1, 1.1, 0, at
        yield account, ticket + 1, ticket, 1 - side, 1, 1, 1.1, profit, at + hold * MINUTE


def hedged_accounts(cast):
    """Two clients of one desk who take opposite sides of the same trades; one of them wins."""
    server = make_server()
    first = make_account(cast.client, server, login="501", currency="EUR")
    second = make_account(cast.other_client, server, login="502", currency="EUR")
    write_deals([*round_trips(first, 0, first=1), *round_trips(second, 1, first=101, late=3, profit=-50)])
    return first, second


@pytest.fixture
def hedged(cast):
    return hedged_accounts(cast)


def test_deals_become_an_episode_and_the_same_deals_do_not_again(hedged, cast):
    first, second = hedged
    count, (episode,) = scoring.score_next()
    assert count == 32 and ScoredTo.objects.get().deal_id == Deal.objects.order_by("-pk")[0].pk
    assert (episode.kind, episode.accounts) == (Abuse.HEDGE, sorted([first.pk, second.pk]))
    assert episode.stake == Decimal(400) and episode.facts["matches"] == 8
    assert episode.trades.count() == 16 and episode.parties.count() == 2
    assert WorkItem.objects.get(pk=episode.work_id).kind == "risk.abuse"
    assert PairCount.objects.get().times == 8
    assert scoring.score_next() == (0, [])
    write_deals(round_trips(first, 0, first=901, count=1, late=3600))
    count, raised = scoring.score_next()
    assert count == 2 and raised == [] and AbuseEpisode.objects.count() == 1


def test_no_deal_is_passed_by_that_was_read_later_than_one_after_it(hedged):
    first, *_others = Deal.every.order_by("pk").values_list("pk", flat=True)
    Deal.every.filter(pk=first).update(synced_at=timezone.now())
    assert scoring.score_next() == (0, [])
    Deal.every.filter(pk=first).update(synced_at=timezone.now() - dt.timedelta(hours=1))
    assert scoring.score_next()[0] == Deal.every.count()


def test_page_shows_evidence_and_logs_the_view(hedged, browse, cast, django_assert_max_num_queries):
    (episode,) = scoring.score_next()[1]
    page = browse(cast.mlro)
    with django_assert_max_num_queries(40):
        body = page.get(episode.get_absolute_url()).content.decode()
    assert ("8 times one account bought what the other one sold" in body and "k-spark" in body) or "<svg" in body
    assert body.count("EURUSD") >= 16 and "501" in body and "Review withdrawals" in body
    views = AccessEvent.objects.filter(target=f"risk.abuseepisode:{episode.pk}")
    assert {row.client_id for row in views} == {account.client_id for account in hedged}
    with django_assert_max_num_queries(30):
        assert "Opposite hedging" in page.get(reverse("risk_abuse")).content.decode()


def test_results_in_two_currencies_are_added_up_in_the_brands_at_the_days_rates(hedged, cast):
    _first, second = hedged
    (episode,) = scoring.score_next()[1]

    def chart():
        return chart_of(episode, trades_of(episode, parties_of(cast.mlro, episode)))

    alone = chart()
    assert alone.drawing and not alone.note and alone.marks[-1][1] == "€0.00"
    TradingAccount.objects.filter(pk=second.pk).update(currency="USD")
    FxRate.objects.filter(currency="USD").delete()
    missing = chart()
    assert not missing.drawing and "exchange rate is missing" in missing.note
    FxRate.objects.create(currency="USD", on=timezone.now().date() - dt.timedelta(days=20), rate=Decimal("1.25"))
    both = chart()
    assert episode.brand.base_currency in both.note and both.marks[-1][1] == "€80.00", "8 × (50 − 50 ÷ 1.25)"


def test_decision_needs_a_right_a_reason_and_a_handling(hedged, cast, browse):
    (episode,) = scoring.score_next()[1]
    finance, auditor = cast.finance, cast.auditor
    with pytest.raises(NotAllowed):
        decide_episode(episode_id=episode.pk, actor=auditor, outcome="not_abuse", reason="Fine")
    for outcome, reason in (("confirmed", "A pair"), ("not_abuse", " ")):
        with pytest.raises(DomainError):
            decide_episode(episode_id=episode.pk, actor=finance, outcome=outcome, reason=reason)
    assert not AuditEvent.objects.filter(action="risk.abuse_decided").exists()
    answer = browse(finance).post(
        episode.get_absolute_url(),
        {"outcome": "confirmed", "handling": Handling.REVIEW_WITHDRAWALS, "reason": "One person"},
    )
    assert answer.status_code == 302
    episode.refresh_from_db()
    assert (episode.state, episode.handling) == (EpisodeState.CONFIRMED, Handling.REVIEW_WITHDRAWALS)
    assert AuditEvent.objects.filter(action="risk.abuse_decided").count() == 1
    with pytest.raises(WrongState):
        decide_episode(episode_id=episode.pk, actor=finance, outcome="not_abuse", reason="No")
    assert feedback(finance) == {Abuse.HEDGE: (1, 1)}
    assert scoring.score_accounts(episode.brand, episode.accounts) == []  # decided stays decided


def test_an_episode_says_when_its_ground_is_lost(hedged):
    (episode,) = scoring.score_next()[1]
    assert grounds.recheck() == 0
    Deal.every.filter(entry=0).update(revision=1)
    assert grounds.recheck() == 1
    episode.refresh_from_db()
    assert episode.lost == Lost.EDITED
    Deal.every.update(deleted_at=timezone.now())
    assert grounds.recheck() == 1
    episode.refresh_from_db()
    assert episode.lost == Lost.DELETED
    first, second = hedged
    Deal.every.update(deleted_at=None, revision=0)
    second.client.merged_into = first.client
    second.client.save(update_fields=["merged_into"])
    grounds.recheck()
    episode.refresh_from_db()
    assert episode.lost == Lost.MERGED
    Client.objects.filter(pk=second.client_id).update(merged_into=None)
    SubjectKey.objects.update_or_create(
        client_id=second.client_id, defaults={"wrapped": None, "destroyed_at": timezone.now()}
    )
    AbuseEpisode.objects.update(kind=Abuse.MULTI)  # what rests on shared details alone
    grounds.recheck()
    episode.refresh_from_db()
    assert episode.lost == Lost.ERASED


def test_an_account_moved_to_another_group_keeps_its_case(hedged, browse, cast):
    """The case is of the account, not of its group: it isn't raised again, its evidence holds, and its page shows it as before."""
    (episode,) = scoring.score_next()[1]
    TradingAccount.objects.filter(pk=hedged[0].pk).update(group="real\\wide-spread")
    assert grounds.recheck() == 0
    assert [row.pk for row in scoring.score_accounts(episode.brand, episode.accounts)] in ([], [episode.pk])
    assert AbuseEpisode.objects.count() == 1
    page = browse(cast.mlro).get(episode.get_absolute_url())
    assert page.status_code == 200 and str(hedged[0].login) in page.content.decode()


def test_out_of_reach_is_not_seen_and_demo_accounts_are_not_judged(hedged, cast):
    (episode,) = scoring.score_next()[1]
    assert episodes_visible_to(cast.mlro).filter(pk=episode.pk).exists()
    assert not episodes_visible_to(cast.agent).exists() and not episodes_visible_to(None).exists()
    TradingAccount.objects.update(is_demo=True)
    ScoredTo.objects.update(deal_id=0)
    PairCount.objects.all().delete()
    assert scoring.score_next()[1] == []


def test_ticks_around_deals_are_what_prices_are_judged_by(cast):
    """Fills that the market has left a second later, by ticks of the same server; another server's say nothing."""
    server = make_server()
    account = make_account(cast.client, server, login="601", currency="EUR")
    trades = list(round_trips(account, 0, first=1, count=24, hold=2, profit=30))
    write_deals(trades)
    ticks = []
    for *_rest, at in trades[::2]:
        ms = int(at.timestamp() * 1000)
        for delay, bid in ((-2000, 1.0999), (500, 1.1004), (20_000, 1.1004), (70_000, 1.1004)):
            ticks.append(
                Tick(
                    server=server,
                    symbol="EURUSD",
                    at_ms=ms + delay,
                    at=at,
                    bid=Decimal(str(bid)),
                    ask=Decimal(str(bid + 0.0001)),
                )
            )
    Tick.objects.bulk_create(ticks)
    (episode,) = [row for row in scoring.score_next()[1] if row.kind == Abuse.LATENCY]
    assert episode.facts["share"] == 1 and episode.facts["curve"][2] > 3
