"""A rule's back-test over a time equals what it raised live over the same movements, however these came in."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.declared.choices import DeclaredFact
from clients.declared.declaring import Declared, declare
from clients.identifiers import IdentifierKind, learn
from clients.models import Client, SignInCountry
from compliance.aml import stream
from compliance.aml.choices import OF_TRADES
from compliance.aml.models import AmlAlert, AmlMovement, AmlRuleVersion
from compliance.aml.opposite import record_positions
from compliance.aml.running import raised_in, run_pending
from compliance.models import CountryRisk
from tests.compliance.aml.factories import START, at, live, movement, position
from tests.examples import examples

pytestmark = pytest.mark.django_db
# Steps that meet the windows of the rules (a day, a week) exactly, and one second beside them.
STEPS = st.sampled_from([0, 0, 1, 3600, 43_200, 86_399, 86_400, 86_401, 604_799, 604_800, 604_801, 3_000_000])
MOVED = st.fixed_dictionaries(
    {
        "who": st.integers(0, 6),
        "kind": st.sampled_from(["deposit", "deposit", "withdrawal", "withdrawal_back", "chargeback"]),
        "amount": st.sampled_from([100, 1000, 1600, 1999, 2000, 5000]),
        "step": STEPS,
        "method": st.sampled_from(["card", "bank", "crypto"]),
        "mark": st.sampled_from(["", "a", "b", "c"]),
        "bank_country": st.sampled_from(["", "DE", "ES"]),
        "card_country": st.sampled_from(["", "DE", "ES"]),
        "is_third_party": st.booleans(),
        "is_return": st.booleans(),
        "trade": st.none() | st.tuples(st.sampled_from([0, 3]), st.sampled_from([100, 250, 300])),
        "runs": st.booleans(),
    }
)


@pytest.fixture
def rules(cast) -> list[AmlRuleVersion]:
    population = {"version": 1, "all": [{"field": "country", "is": "in", "value": ["DE"]}]}
    made = [
        live(cast, "structuring", 2, days=7, repeat=1, brand=brand, parameters={"limit": 2000, "from_percent": 80})
        for brand in (cast.brand, cast.other_brand)
    ]
    for measure, threshold, days in (
        ("velocity_count", 3, 1),
        ("velocity_sum", 4000, 7),
        ("round_amounts", 2, 1),
        ("third_party", 1, 1),
        ("many_instruments", 2, 7),
        ("in_and_out", 80, 1),
        ("pass_through", 80, 7),
        ("method_mismatch", 1000, 7),
        ("dormant", 7, 1),
        ("chargebacks", 1, 1),
    ):
        made.append(live(cast, measure, threshold, days=days, repeat=days))
    made.append(live(cast, "velocity_count", 2, days=7, repeat=30, population=population, since=at(days=3)))
    CountryRisk.objects.create(country="DE", level="grey", valid=DateRange(at(5).date(), at(20).date()), source="FATF")
    made.append(live(cast, "country", 3000, days=7, repeat=7))
    made.append(live(cast, "bank_country", 3000, days=7, repeat=7))
    made.append(live(cast, "card_country", 3000, days=7, repeat=7))
    made.append(live(cast, "card_abroad", 3000, days=7, repeat=7))
    made.append(live(cast, "sign_in_country", 2000, days=7, repeat=7, parameters={"days": 4}))
    made.append(live(cast, "sign_in_countries", 2, days=5, repeat=5))
    made.append(live(cast, "declared_means", 150, days=7, repeat=7, parameters={"least": 1000, "otherwise": 3000}))
    made.append(live(cast, "opposite_trades", 300, days=7, repeat=7, parameters={"times": 2}))
    made.append(live(cast, "shared", 1, repeat=7))
    made.append(live(cast, "peers", 2, repeat=31, parameters={"least": 5, "peers": "risk_rating"}))
    return made


@pytest.fixture
def people(cast) -> list[Client]:
    """Two clients of the cast's brand, another brand's, and four peers of the same risk rating."""
    home = {"created_at": at(), "country": "DE"}
    stranger = Client(brand=cast.other_brand, book=cast.other_client.book, first_name="S", **home)
    peers = [Client(brand=cast.brand, book=cast.book, first_name=f"P{number}", **home) for number in range(4)]
    people = [cast.client, cast.other_client, *Client.objects.bulk_create([stranger, *peers])]
    # Links that were known before money moves; those found later are judged from the next movement on.
    for client, mark, days in ((people[0], "phone", 0), (people[3], "phone", 2), (people[4], "laptop", 1)):
        learn(client.pk, IdentifierKind.DEVICE, mark, at=at(days=days))
    learn(people[5].pk, IdentifierKind.DEVICE, "laptop", at=at(days=9))
    for client, country, days in (
        (people[0], "DE", 6),
        (people[0], "FR", 7),
        (people[1], "DE", 2),
        (people[4], "US", 1),
    ):
        SignInCountry.objects.create(client=client, country=country, day=at(days).date(), first_at=at(days))
    for client, income, days in ((people[0], 1000, 0), (people[0], 4000, 6), (people[1], 10**12, 0)):
        given = {DeclaredFact.YEARLY_INCOME: Declared(Decimal(income))}
        declare(client_id=client.pk, source="test", given=given, at=at(days=days))
    return people


def stand_against(winner: Client, loser: Client, amount: int, when: dt.datetime) -> None:
    """Have two people close opposite positions; the same person, or two brands', is no match."""
    record_positions([position(winner, amount, when), position(loser, -amount, when, is_long=False)])


@settings(max_examples=examples(8), deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=st.lists(MOVED, min_size=1, max_size=25))
def test_backtest_equals_the_live_run(cast, rules, people, moves):
    when = START - dt.timedelta(days=2)
    with transaction.atomic():
        # Known before anything moves: what was closed later on a withdrawal's day is known to a back-test alone.
        stream.record_trading([(cast.client.pk, at(days).date(), 1, Decimal("0.2")) for days in (0, 7)])
        for move in moves:
            when += dt.timedelta(seconds=move["step"])
            fields = {"method": move["method"], "instrument_mark": move["mark"]}
            fields |= {name: move[name] for name in ("is_third_party", "is_return", "bank_country", "card_country")}
            stream.record([movement(people[move["who"]], move["kind"], move["amount"], when, **fields)])
            if move["trade"] is not None:
                stand_against(people[move["who"]], people[move["trade"][0]], move["trade"][1], when)
            if move["runs"]:
                run_pending()
        run_pending()
        end = when + dt.timedelta(seconds=1)
        for version in rules:
            tried = {(entry.client_id, entry.episode) for entry in raised_in(version, version.live_since, end)}
            raised = set(AmlAlert.objects.filter(version=version).values_list("client_id", "episode"))
            assert tried == raised, (version.measure, tried ^ raised)
        assert AmlMovement.objects.exclude(kind__in=OF_TRADES).count() == len(moves)
        transaction.set_rollback(True)  # an example leaves nothing to the next
