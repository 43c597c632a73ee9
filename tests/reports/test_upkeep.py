"""Figures follow what changed, on whatever day it lies, and are then those that a computation from nothing gives."""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction

from clients.models import Call, Client
from crm.models import Book
from leads.models import Lead
from reports import upkeep
from reports.models import ChangedClient, ClientDay, CohortMonth, DayFigure, FiguresState, OriginDay
from tests.cast import make_client
from tests.ib.test_settlement import arrived
from tests.reports.test_reports import NOON, lead
from wallet.choices.reconciliation import MovementKind
from wallet.models import Deposit, Journal, PspMovement

pytestmark = pytest.mark.django_db
OLD = NOON - dt.timedelta(days=200)
MODELS = (DayFigure, OriginDay, CohortMonth)


def figures_now() -> list[tuple]:
    """All rows of all summaries."""
    rows: list[tuple] = []
    for model, summary in zip(MODELS, upkeep.SUMMARIES, strict=True):
        rows += [(model.__name__, *row) for row in model.objects.order_by().values_list(*summary.keys, *summary.names)]
    return sorted(rows, key=str)


def from_nothing() -> list[tuple]:
    """What a computation from nothing gives; what was kept is put back."""
    with transaction.atomic():
        upkeep.rebuild()
        found = figures_now()
        transaction.set_rollback(True)
    return found


def follows() -> int:
    """Take in what changed, and prove that nothing else is to be found."""
    taken = upkeep.refresh()
    kept = figures_now()
    assert kept == from_nothing()
    assert upkeep.check() == 0
    assert not ChangedClient.objects.exists()
    return taken


@pytest.fixture
def world(cast):
    """Clients of two desks with things of an old day and of a new one."""
    upkeep.refresh()
    for client, agent in ((cast.client, cast.agent), (cast.other_client, cast.other_agent)):
        for at in (OLD, NOON):
            lead(client, at=at, agent=agent, touched_after=60)
            Call.objects.create(client=client, agent=agent, outcome="reached", started_at=at, duration_seconds=30)
    arrived(cast, 500_00, OLD, "old")
    arrived(cast, 700_00, NOON, "new")
    assert follows() == 2
    return cast


def deposit_of(world, day: dt.datetime) -> Deposit:
    return Deposit.objects.get(client=world.client, settled_at=day)


def journal() -> int:
    return Journal.objects.latest("pk").pk


CHANGES = {
    "lead contacted after months": lambda w: Lead.objects.filter(client=w.client, captured_at=OLD).update(
        touched_at=NOON, sla_missed=1
    ),
    "lead found to be a duplicate": lambda w: Lead.objects.filter(client=w.client, captured_at=OLD).update(
        is_duplicate=True
    ),
    "lead of an old day added": lambda w: lead(w.client, at=OLD - dt.timedelta(days=9)),
    "lead of an old day deleted": lambda w: Lead.objects.filter(client=w.client, captured_at=OLD).delete(),
    "lead moved to another client": lambda w: Lead.objects.filter(client=w.client, captured_at=OLD).update(
        client=w.other_client
    ),
    "call of an old day added": lambda w: Call.objects.create(
        client=w.client, agent=w.agent, outcome="reached", started_at=OLD, duration_seconds=9
    ),
    "client registered": lambda w: Client.objects.filter(pk=w.client.pk).update(registered_at=OLD),
    "deposit found to be the first": lambda w: Deposit.objects.filter(client=w.client, settled_at=OLD).update(
        is_first=not deposit_of(w, OLD).is_first
    ),
    "deposit of an old day worth something else": lambda w: Deposit.objects.filter(
        client=w.client, settled_at=OLD
    ).update(base_amount=1),
    "deposit given back": lambda w: PspMovement.objects.create(
        psp=deposit_of(w, OLD).psp,
        kind=MovementKind.REFUND,
        reference=deposit_of(w, OLD).reference,
        psp_reference="r1",
        client_id=w.client.pk,
        journal_id=journal(),
        amount_minor=-100_00,
        currency="EUR",
        occurred_at=NOON,
    ),
    "client verified": lambda w: Client.objects.filter(pk=w.client.pk).update(kyc_level=2),
    "client traded for the first time": lambda w: Client.objects.filter(pk=w.client.pk).update(last_trade_at=NOON),
    "client contacted for the first time": lambda w: Client.objects.filter(pk=w.client.pk).update(last_contact_at=NOON),
    "client funded": lambda w: Client.objects.filter(pk=w.client.pk).update(first_deposit_at=NOON),
    "client of another country": lambda w: Client.objects.filter(pk=w.client.pk).update(country="PL"),
    "client of a campaign": lambda w: Client.objects.filter(pk=w.client.pk).update(campaign="autumn"),
    "client of a source": lambda w: Client.objects.filter(pk=w.client.pk).update(source="google"),
    # Fourteen hours ahead: noon is another day there, whatever the hour of the run.
    "brand in another time zone": lambda w: (setattr(w.brand, "time_zone", "Pacific/Kiritimati"), w.brand.save()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_figures_follow_a_change_of_any_day(world, change):
    before = figures_now()
    CHANGES[change](world)
    assert follows() >= 1
    assert figures_now() != before


MOVES = {
    "lead handed to another agent": lambda w: Lead.objects.filter(client=w.client, captured_at=OLD).update(
        assigned_to=w.other_agent
    ),
    "client given to another agent": lambda w: Client.objects.filter(pk=w.client.pk).update(owner=w.other_agent),
    "client moved to another book": lambda w: Client.objects.filter(pk=w.client.pk).update(book=w.other_client.book_id),
    "book moved to another desk": lambda w: Book.objects.filter(pk=w.client.book_id).update(desk=w.other_desk),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_move_leaves_all_past_days_as_they_were(world, move):
    before = figures_now()
    MOVES[move](world)
    follows()
    assert figures_now() == before


def test_what_counts_for_nothing_is_not_looked_at(world):
    Client.objects.filter(pk=world.client.pk).update(kyc_level=1, last_trade_at=OLD, last_contact_at=OLD)
    follows()
    Client.objects.filter(pk=world.client.pk).update(
        first_name="Else", net_deposits=9, score=3, kyc_level=2, last_trade_at=NOON, last_contact_at=NOON
    )
    Lead.objects.filter(client=world.client).update(score=5)
    assert upkeep.refresh() == 0


def test_a_day_that_lost_everything_has_no_row(world):
    day = OLD - dt.timedelta(days=50)
    lead(world.client, at=day)
    follows()
    assert DayFigure.objects.get(day=day.date()).leads == 1
    Lead.objects.filter(captured_at=day).delete()
    follows()
    assert not DayFigure.objects.filter(day=day.date()).exists()


def test_the_daily_check_finds_and_mends_what_no_trigger_told(world):
    right = figures_now()
    DayFigure.objects.filter(deposits__gt=0).update(deposits=1)
    assert upkeep.check() == 4
    assert figures_now() == right
    ClientDay.objects.filter(client_id=world.client.pk).delete()
    assert upkeep.check() >= 1
    assert (figures_now(), upkeep.check()) == (right, 0)


def test_origins_and_cohorts_are_as_counted_by_hand(cast):
    """One client of August: a lead, verified, 500 paid in in September and 120 refunded; another never came further."""
    august, september = dt.datetime(2026, 8, 20, 12, tzinfo=dt.UTC), NOON
    july = august - dt.timedelta(days=40)
    Client.objects.update(created_at=july, registered_at=july, last_contact_at=None, country="", campaign="")
    Client.objects.filter(pk=cast.client.pk).update(
        created_at=august,
        registered_at=august,
        kyc_level=1,
        last_contact_at=september,
        country="DE",
        campaign="autumn",
        source="google",
    )
    lead(cast.client, at=august, agent=cast.agent)
    deposit = arrived(cast, 500_00, september, "c")
    Client.objects.filter(pk=cast.client.pk).update(first_deposit_at=september)
    PspMovement.objects.create(
        psp=deposit.psp,
        kind=MovementKind.REFUND,
        reference=deposit.reference,
        psp_reference="r2",
        client_id=cast.client.pk,
        journal_id=journal(),
        amount_minor=-120_00,
        currency="EUR",
        occurred_at=september,
    )
    follows()
    seen = OriginDay.objects.get(country="DE", day=august.date())
    assert (seen.campaign, seen.source, seen.owner, seen.desk) == ("autumn", "google", cast.agent, cast.desk)
    assert (seen.leads, seen.registrations, seen.verified) == (1, 1, 1)
    funnel = (
        seen.seen,
        seen.seen_contacted,
        seen.seen_registered,
        seen.seen_verified,
        seen.seen_funded,
        seen.seen_active,
    )
    assert funnel == (1, 1, 1, 1, 1, 0)
    others = OriginDay.objects.exclude(country="DE").filter(seen__gt=0)
    assert sum(row.seen for row in others) == Client.objects.count() - 1
    assert not any(row.seen_contacted or row.seen_funded for row in others)
    cohort = {row.month: row for row in CohortMonth.objects.filter(country="DE")}
    assert {row.registered_month for row in cohort.values()} == {dt.date(2026, 8, 1)}
    first, second = cohort[dt.date(2026, 8, 1)], cohort[dt.date(2026, 9, 1)]
    assert (first.clients, first.depositors, first.deposits) == (1, 0, 0)
    assert (second.clients, second.depositors, second.deposits, second.reversals) == (0, 1, 500, 0)
    refunded = cohort[max(cohort)]  # a journal is of the moment it is posted
    assert (refunded.depositors, refunded.deposits, refunded.reversals) == (0, 0, 120)


def test_the_time_of_the_last_round_is_kept(cast):
    upkeep.refresh()
    first = FiguresState.objects.get().refreshed_at
    upkeep.rebuild()
    assert FiguresState.objects.get().refreshed_at >= first


def test_many_clients_are_taken_in_steps(cast, monkeypatch):
    upkeep.refresh()
    monkeypatch.setattr(upkeep, "CLIENTS_AT_ONCE", 3)
    for number in range(5):
        lead(make_client(brand=cast.brand, book=cast.pool, email=f"p{number}@example.com", login=False))
    upkeep.refresh()
    assert DayFigure.objects.get(owner=None, desk=cast.desk, leads__gt=0).leads == 5
    follows()


@pytest.mark.django_db(transaction=True)
def test_what_is_committed_while_figures_are_made_is_taken_the_next_time(cast):
    """A writer that began before the figures were made and commits after them is not lost."""
    upkeep.refresh()
    wrote, may_commit = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                lead(cast.client)
                wrote.set()
                may_commit.wait(30)
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    wrote.wait(30)
    Lead.objects.create(client=cast.client, brand=cast.brand, channel="form", captured_at=OLD)
    assert upkeep.refresh() == 1
    assert [row.leads for row in DayFigure.objects.filter(day=NOON.date())] == []
    may_commit.set()
    writer.join(30)
    assert upkeep.refresh() == 1
    assert [row.leads for row in DayFigure.objects.filter(day=NOON.date())] == [1]
    assert upkeep.check() == 0
