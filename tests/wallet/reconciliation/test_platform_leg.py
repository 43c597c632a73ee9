"""The trading platform as the third side: each balance operation there has its movement in the ledger, and the other way
round; what has none is named, and closes itself once it is explained."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from tests.days import today
from tests.trading.factories import make_account, make_server, make_type
from tests.wallet.factories import fund
from tests.wallet.transfers.test_transfer import end, move
from trading.choices import DealAction
from trading.models import Deal, SyncCursor
from trading.sync.ingest import _ensure_months
from wallet.choices.ledger import JournalKind
from wallet.choices.month_end import RunState, SourceKind
from wallet.choices.reconciliation import BreakKind, BreakState
from wallet.choices.transfers import Direction
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import Break, SourceRun
from wallet.reconciliation import resolve_break, source_runs
from wallet.reconciliation.source_runs import gaps, run_due, run_source, sources_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(cast):
    fund(cast.client, 50_000)
    server = make_server()
    make_type(cast.brand, server)
    SyncCursor.objects.create(server=server, kind="deals", read_at=timezone.now() + dt.timedelta(days=2))
    return make_account(cast.client, server)


def deal(account, ticket: int, amount: str, **fields) -> Deal:
    now = timezone.now()
    _ensure_months([fields.get("executed_at", now)])
    zero = dict.fromkeys(
        ("lots", "closed_lots", "contract_size", "price", "price_position", "commission", "swap", "fee"), Decimal(0)
    )
    values = {
        "executed_at": now,
        "server": account.server,
        "account_id": account.pk,
        "login": account.login,
        "server_msc": 0,
        "action": DealAction.BALANCE,
        "entry": 0,
        "profit": Decimal(amount),
        "position_id": 0,
        "order_id": 0,
        "raw": {},
        "synced_at": now,
        **zero,
        **fields,
    }
    return Deal.objects.create(ticket=ticket, **values)


@pytest.fixture
def source(cast, account):
    (source,) = [one for one in sources_of([cast.brand]) if one.kind == SourceKind.PLATFORM]
    return source


def run(source) -> SourceRun:
    return run_source(source, today())


def kinds() -> list[str]:
    return list(Break.objects.filter(state="open").order_by("subject").values_list("kind", flat=True))


def test_transfers_both_ways_agree_with_the_platform(cast, account, source):
    end(move(cast, account), ticket=77)
    deal(account, 77, "300")
    end(move(cast, account, Direction.TO_WALLET, "120", key="k2"), ticket=78)
    deal(account, 78, "-120")
    done = run(source)
    assert (done.state, done.checked, done.breaks_open, done.covered_to) == (RunState.AGREES, 4, 0, today())
    assert not Break.objects.exists()


def test_a_deal_without_a_movement_is_named_with_its_client(cast, account, source):
    deal(account, 90, "55.5")
    done = run(source)
    one = Break.objects.get()
    assert (done.state, one.kind, one.difference, one.client) == (
        RunState.BREAKS,
        BreakKind.MISSING_HERE,
        Decimal("55.5"),
        cast.client,
    )
    assert "#90" in one.explanation
    assert "€55.50" in one.explanation


def test_a_movement_without_a_deal_is_named(cast, account, source):
    end(move(cast, account), ticket=77)
    run(source)
    one = Break.objects.get()
    assert (one.kind, one.difference_minor) == (BreakKind.MISSING_THERE, -30_000)
    assert "isn't on the platform" in one.explanation
    clearing = posting.platform_clearing(brand_id=cast.brand.pk, server_id=account.server_id, currency="EUR")
    lines = (Line(posting.wallet_of(cast.client, "EUR"), -500), Line(clearing, 500))
    with transaction.atomic():
        posting.post(Entry(key="hand", kind=JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=lines))
    run(source)
    assert kinds() == [BreakKind.MISSING_THERE] * 2


def test_another_amount_another_account_and_a_second_deal_have_names_of_their_own(cast, account, source):
    transfer = move(cast, account)
    end(transfer, ticket=77)
    deal(account, 77, "299.99")
    second = move(cast, account, amount="10", key="k2")
    end(second, ticket=78)
    elsewhere = make_account(cast.other_client, account.server)
    deal(elsewhere, 78, "10")
    from trading.models import BalanceOperation

    reference = BalanceOperation.objects.get(pk=transfer.operation_id).reference
    deal(account, 79, "300", comment=reference)
    run(source)
    assert {one.subject.rpartition(":")[2]: one.kind for one in Break.objects.all()} == {
        "77": BreakKind.AMOUNT,
        "78": BreakKind.WRONG_ACCOUNT,
        "79": BreakKind.DUPLICATE,
    }
    assert Break.objects.get(subject__endswith="deal:77").difference_minor == -1


def test_done_there_but_not_settled_here_closes_itself_once_it_is(cast, account, source):
    transfer = move(cast, account)
    from trading.models import BalanceOperation

    operation = BalanceOperation.objects.get(pk=transfer.operation_id)
    deal(account, 80, "300", comment=operation.reference)
    run(source)
    # The reference is known although the ticket is not yet.
    assert Break.objects.get().kind == BreakKind.NOT_SETTLED
    end(transfer, ticket=80)
    done = run(source)
    one = Break.objects.get()
    assert (done.state, one.state, one.resolved_by) == (RunState.AGREES, BreakState.RESOLVED, None)
    assert (one.resolution_code, one.resolution) == ("not_found", "")
    assert "No longer found in the run for" in one.how_resolved


def test_credit_and_corrections_must_have_been_ordered_here(cast, account, source):
    deal(account, 81, "50", action=DealAction.CREDIT)
    deal(account, 82, "-3", action=DealAction.CORRECTION)
    deal(account, 83, "-0.7", action=DealAction.INTEREST)
    run(source)
    assert kinds() == [BreakKind.NOT_ORDERED] * 2
    assert "Correction #82" in Break.objects.get(subject__endswith="deal:82").explanation


def test_trades_demo_accounts_and_reversed_journals_are_no_breaks(cast, account, source):
    deal(account, 84, "12", action=DealAction.BUY)
    deal(make_account(cast.client, account.server, is_demo=True), 85, "10000")
    clearing = posting.platform_clearing(brand_id=cast.brand.pk, server_id=account.server_id, currency="EUR")
    lines = (Line(posting.wallet_of(cast.client, "EUR"), -500), Line(clearing, 500))
    from wallet.models import Journal

    with transaction.atomic():
        posted = posting.post(Entry(key="hand", kind=JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=lines))
        journal = Journal.objects.get(pk=posted.journal_id)
        posting.reverse(key="hand:back", journal=journal, description="mistake")
    run(source)
    assert kinds() == []


def test_what_moved_before_an_account_was_taken_over_is_not_ours(cast, account, source):
    account.imported_at = timezone.now()
    account.save()
    deal(account, 90, "500", executed_at=account.imported_at - dt.timedelta(seconds=1))
    assert run(source).breaks_open == 0
    deal(account, 91, "70")
    assert run(source).breaks_open == 1


def test_a_login_that_nobody_knows_is_shown_once(cast, account, source):
    deal(account, 86, "9", account_id=None, login="999")
    run(source)
    assert kinds() == [BreakKind.MISSING_HERE]


def test_a_transfer_over_midnight_of_a_month_end_is_a_timing_difference_that_explains_itself(cast, account, source):
    end(move(cast, account), ticket=77)
    last_month = timezone.now().astimezone(dt.UTC).replace(day=1) - dt.timedelta(days=1)
    deal(account, 77, "300", executed_at=last_month)
    run_source(source, last_month.date())
    one = Break.objects.get()
    assert (one.kind, one.state) == (BreakKind.TIMING, BreakState.RESOLVED)


def test_deals_that_were_not_read_since_are_said(cast, account, source):
    SyncCursor.objects.update(read_at=timezone.now() - dt.timedelta(days=1))
    done = run(source)
    assert done.state == RunState.MISSING
    assert "read since" in done.words


def test_what_a_person_resolved_stays_resolved_while_it_is_the_same_difference(cast, account, source):
    deal(account, 90, "55")
    run(source)
    resolve_break(break_id=Break.objects.get().pk, actor=cast.finance, resolution="Dealer's gift, booked as a cost")
    assert run(source).state == RunState.AGREES
    assert Break.objects.get().resolved_by == cast.finance
    Deal.objects.filter(ticket=90).update(profit=Decimal(56))
    assert run(source).state == RunState.BREAKS
    assert Break.objects.get(state="open").difference_minor == 5_600
    run(source)
    assert Break.objects.count() == 2


def test_beat_runs_each_source_once_a_day_and_looks_again_where_something_is_open(cast, account):
    yesterday = today() - dt.timedelta(days=1)
    assert run_due() == 1
    assert SourceRun.objects.get().day == yesterday
    assert run_due() == 0
    SourceRun.objects.update(
        state=RunState.BREAKS,
        finished_at=timezone.now() - dt.timedelta(hours=2),
        started_at=timezone.now() - dt.timedelta(hours=3),
    )
    assert run_due() == 1
    assert (SourceRun.objects.get().runs, SourceRun.objects.get().state) == (2, RunState.AGREES)
    assert run_due(today=today() + dt.timedelta(days=2)) == 2


def test_thirty_days_away_are_all_run_each_once(cast, account, caplog):
    """Ten of a source in one run; a source that began to be watched today has no past to catch up with."""
    assert run_due() == 1
    later = today() + dt.timedelta(days=30)
    assert [run_due(today=later) for _quarter in range(4)] == [10, 10, 10, 0]
    first = today() - dt.timedelta(days=1)
    runs = list(SourceRun.objects.order_by("day").values_list("day", "runs"))
    assert runs == [(first + dt.timedelta(days=number), 1) for number in range(31)]
    assert f"{today() + dt.timedelta(days=10)} to {later - dt.timedelta(days=1)}" in caplog.text, "what waits is named"


def test_the_days_that_no_report_covers():
    day = dt.date(2026, 10, 1)
    first, last = day, dt.date(2026, 10, 31)
    assert gaps([], first, last) == [(first, last)]
    assert gaps([(first, last)], first, last) == []
    spans = [
        (dt.date(2026, 9, 20), dt.date(2026, 10, 3)),
        (dt.date(2026, 10, 6), dt.date(2026, 10, 10)),
        (dt.date(2026, 10, 8), dt.date(2026, 11, 2)),
    ]
    assert gaps(spans, first, last) == [(dt.date(2026, 10, 4), dt.date(2026, 10, 5))]


def test_one_source_that_breaks_keeps_no_other_waiting(cast, account, monkeypatch):
    make_type(cast.other_brand, account.server, currency="USD")

    def fails(source, day):
        if source.brand == cast.brand:
            raise RuntimeError("no")
        return source_runs.RunResult(RunState.AGREES)

    monkeypatch.setitem(source_runs.RUNNERS, SourceKind.PLATFORM, fails)
    assert run_due() == 1
    assert SourceRun.objects.get().brand == cast.other_brand
