"""The live part of `bench prop`: rounds of samples of 20,000 running accounts into the database and judged there, in real time.

Every second a round of each 2,000 accounts is written as the sampler does, some accounts trade, and the judge's pass runs. What is
measured is the pass, with its database session; reading equity over a socket is a part of `bench trading`.
"""

from __future__ import annotations

import datetime as dt
import resource
import time
from decimal import Decimal
from random import Random
from typing import Final

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from bench.harness import Figure, analyze, at_most, cpu_ms, say
from bench.ledger import CLIENTS
from bench.trading_deals import make_accounts
from crm.models import Book, Brand
from prop.judge import rounds
from prop.judge.sampling import BATCH
from prop.models import (
    Breach,
    Challenge,
    EquityRound,
    PhaseAccount,
    Programme,
    ProgrammePhase,
    ProgrammeSize,
    ProgrammeVersion,
)
from trading.choices import DealAction, DealEntry
from trading.models import AccountType, Deal, SyncCursor, TradingAccount, TradingServer

# Accounts, seconds, trades a second.
SIZES: Final = {"tiny": (300, 5, 2), "quick": (20_000, 75, 50), "full": (20_000, 600, 50)}
START: Final = 100_000
NEAR: Final = 200  # one account out of so many is close to its daily loss of 5,000.00
KINDS: Final = (
    ("static", "balance"),
    ("static", "higher"),
    ("trailing_equity", "equity"),
    ("trailing_balance", "higher"),
)


def make_challenges(count: int) -> TradingServer:
    """Running challenges of four programmes on one server. Keys into ledger and staff are made up: nothing reads them here."""
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    book = Book.objects.create(brand=brand, name="Bench")
    server = TradingServer(name="Bench", host="127.0.0.1", port=1, manager_login="1", time_zone="Europe/Athens")
    server.set_password("bench")
    server.save()
    with connection.cursor() as cursor:
        cursor.execute(CLIENTS, [brand.pk, book.pk, count])
    make_accounts(server, balance=START, equity=START, equity_base=START, margin=0)
    kind = AccountType.objects.create(
        brand=brand,
        server=server,
        name="Challenge",
        group="real\\standard-EUR",
        currency="EUR",
        leverages=[30],
        default_leverage=30,
        kyc_level=0,
    )
    programme = Programme.objects.create(brand=brand, name="Bench")
    now = timezone.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
        phases = []
        for number, (maximum, daily) in enumerate(KINDS, start=1):
            version = ProgrammeVersion.objects.create(
                programme=programme,
                number=number,
                currency="EUR",
                account_type=kind,
                funded_account_type=kind,
                made_by_id=1,
            )
            terms = {"target": 10, "daily_loss": 5, "daily_loss_by": daily, "max_loss": 10, "max_loss_kind": maximum}
            phase = ProgrammePhase.objects.create(version=version, number=1, max_lots=50, **terms)
            phases.append((phase, ProgrammeSize.objects.create(version=version, balance=START, fee=500)))
        accounts = list(TradingAccount.objects.order_by("pk").values_list("pk", "client_id"))
        challenges = Challenge.objects.bulk_create(
            Challenge(
                brand=brand,
                client_id=client_id,
                version_id=phases[n % 4][0].version_id,
                size=phases[n % 4][1],
                currency="EUR",
                balance=START,
                price=500,
                request_key=str(n),
                payment_id=n + 1,
                bought_at=now,
            )
            for n, (_pk, client_id) in enumerate(accounts)
        )
        PhaseAccount.objects.bulk_create(
            PhaseAccount(
                challenge=challenge,
                phase=phases[n % 4][0],
                account_id=accounts[n][0],
                state="running",
                started_at=now - dt.timedelta(minutes=1),
            )
            for n, challenge in enumerate(challenges)
        )
    return server


COPY: Final = (
    """UPDATE prop_phaseaccount p SET judged = f.judged, judged_until = f.judged_until, quiet_balance = f.quiet_balance,
    quiet_floor = f.quiet_floor, quiet_ceiling = f.quiet_ceiling, quiet_until = f.quiet_until
    FROM prop_phaseaccount f WHERE f.id = ANY(%(first)s) AND f.phase_id = p.phase_id AND f.id <> p.id""",
    """INSERT INTO prop_challengeday (phase_account_id, day, opening_balance, opening_equity, closing_balance, closing_equity,
    lowest_equity, highest_equity, trades, checkpoint)
    SELECT p.id, d.day, d.opening_balance, d.opening_equity, d.closing_balance, d.closing_equity, d.lowest_equity,
    d.highest_equity, d.trades, d.checkpoint FROM prop_phaseaccount p JOIN prop_phaseaccount f ON f.phase_id = p.phase_id
    JOIN prop_challengeday d ON d.phase_account_id = f.id WHERE f.id = ANY(%(first)s) AND f.id <> p.id""",
)


def begin(server: TradingServer, ids: list[int]) -> None:
    """Judge one account of each programme for the first time, and let all others be where it is."""
    first = ids[: len(KINDS)]
    start = np.full(len(first), START * 100, dtype=np.int64)
    keep_rounds(server, first, start, start, timezone.now().replace(microsecond=0))
    rounds.judge_server(server.pk)
    with connection.cursor() as cursor:
        for statement in COPY:
            cursor.execute(statement, {"first": first})


def keep_rounds(
    server: TradingServer, ids: list[int], balances: np.ndarray, equities: np.ndarray, at: dt.datetime
) -> None:
    for first in range(0, len(ids), BATCH):
        part = slice(first, first + BATCH)
        EquityRound.objects.create(
            server=server, at=at, accounts=ids[part], balances=balances[part].tolist(), equities=equities[part].tolist()
        )
    SyncCursor.objects.update_or_create(server=server, kind="deals", defaults={"read_at": at})


def trade(server: TradingServer, accounts: list[int], at: dt.datetime, ticket: int) -> None:
    zero = Decimal(0)
    Deal.objects.bulk_create(
        Deal(
            executed_at=at,
            server=server,
            ticket=ticket + number,
            account_id=account,
            login="",
            server_msc=0,
            action=DealAction.BUY,
            entry=DealEntry.IN,
            symbol="EURUSD",
            lots=Decimal("0.1"),
            closed_lots=zero,
            contract_size=Decimal(100_000),
            price=Decimal("1.1"),
            price_position=zero,
            profit=zero,
            commission=zero,
            swap=zero,
            fee=zero,
            position_id=ticket + number,
            order_id=ticket + number,
            raw={},
            synced_at=at,
        )
        for number, account in enumerate(accounts)
    )


def run(size: str) -> list[Figure]:
    count, seconds, trades = SIZES[size]
    server = make_challenges(count)
    analyze()
    ids = list(PhaseAccount.objects.order_by("pk").values_list("pk", flat=True))
    accounts = list(PhaseAccount.objects.order_by("pk").values_list("account_id", flat=True))
    random, numbers = np.random.default_rng(29), Random(29)
    begin(server, ids)
    balances = np.full(count, START * 100, dtype=np.int64)
    floating = random.integers(-300_000, 300_000, count)
    speed = random.choice([50, 400, 3_000], count, p=[0.5, 0.4, 0.1])
    floating[: count // NEAR], speed[: count // NEAR] = -490_000, 3_000
    works, walls, late, grown = [], [], 0, 0.0
    for second in range(seconds):
        began = time.perf_counter()
        at = timezone.now().replace(microsecond=0)
        floating += (random.standard_normal(count) * speed).astype(np.int64)
        keep_rounds(server, ids, balances, balances + floating, at)
        if second:
            trade(server, numbers.sample(accounts, min(trades, count)), at, 1 + second * trades)
        work, wall = cpu_ms(), time.perf_counter()
        judged = rounds.judge_server(server.pk)
        works.append(cpu_ms() - work)
        walls.append((time.perf_counter() - wall) * 1000)
        if second == seconds // 2:
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if second % 10 == 0:
            say(f"second {second}: {judged} accounts judged in {walls[-1]:.0f} ms")
        late += time.perf_counter() - began > 1
        time.sleep(max(0.0, 1 - (time.perf_counter() - began)))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - grown
    settled = sorted(works[1:])
    return [
        at_most(
            Figure(
                "live: processor time of a second's pass, with its database session, mean",
                sum(settled) / len(settled),
                "ms",
            ),
            1000,
        ),
        Figure("live: processor time of the slowest pass but the first", settled[-1], "ms"),
        Figure("live: the first pass, in which every account has moved far", works[0], "ms"),
        Figure("live: passes that took longer than a second, with writing the round", late, "passes"),
        at_most(Figure("live: memory grown in the second half", grown, "MB"), 40),
        Figure("live: breaches recorded", Breach.objects.count(), "breaches"),
        Figure("live: rounds that wait at the end", EquityRound.objects.count(), "rounds"),
    ]
