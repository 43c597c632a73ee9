"""Simulated partners: honest ones, those that only look bad, and abusers of six kinds, written in bulk."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from clients.choices import IdentifierKind, Stage
from clients.identifiers.keeping import Seen, learn_many, learn_of_staff
from clients.models import Client
from ib.models import Accrual, Attribution, CommissionRun, Partner, PlanVersion, SettlementPeriod
from tests.ib.factories import make_partner

DAY = dt.timedelta(days=1)
DEVICE, CARD, BANK, NETWORK = (
    IdentifierKind.DEVICE,
    IdentifierKind.CARD,
    IdentifierKind.BANK_ACCOUNT,
    IdentifierKind.IP_PREFIX,
)


class World:
    """Partners with clients, what these used and what they traded; written to the database by `write`."""

    def __init__(self, cast, version: PlanVersion, *, seed: int) -> None:
        self.cast, self.version, self.now = cast, version, timezone.now()
        self.random = random.Random(seed)
        self.clients: list[Client] = []
        self.of: list[tuple[Partner, bool, bool]] = []  # whose, only quick trades, a CPA was paid
        self.seen: list[tuple[int, IdentifierKind, str]] = []
        self.count = 0

    def things(self) -> dict[IdentifierKind, str]:
        self.count += 1
        n = self.count
        return {
            DEVICE: f"device-{n}-{'x' * 20}",
            CARD: f"card-fingerprint-{n}",
            BANK: f"DE{n:020}",
            NETWORK: f"{8 + n // 60000}.{n // 250 % 250}.{n % 250}.7",
        }

    def client(self, partner: Partner, things=None, *, days: int = 60, quick=False, cpa=False, gone=False) -> int:
        """One client of a partner; gone: stopped trading within days, and took the money out. Returns its place."""
        born = self.now - (days + self.random.random() * 20) * DAY
        place = len(self.clients)
        self.clients.append(
            Client(
                brand=self.cast.brand,
                book=self.cast.book,
                stage=Stage.DORMANT if gone else Stage.ACTIVE,
                first_name="Sim",
                last_name=str(place),
                email=f"sim{place}@simulated.example",
                created_at=born,
                registered_at=born,
                first_deposit_at=born,
                net_deposits=Decimal(0) if gone else Decimal(self.random.randrange(300, 9000)),
                last_trade_at=born + 3 * DAY if gone else self.now - DAY,
            )
        )
        self.of.append((partner, quick, cpa))
        self.seen += [(place, kind, value) for kind, value in {**self.things(), **(things or {})}.items()]
        return place

    def some(self, share: float, number: int) -> list[bool]:
        """So many yes and no, in a random order."""
        many = round(share * number)
        answers = [True] * many + [False] * (number - many)
        self.random.shuffle(answers)
        return answers

    def write(self) -> None:
        made = Client.objects.bulk_create(self.clients)
        born = [client.registered_at for client in made]
        Attribution.objects.bulk_create(
            Attribution(client=client, partner=partner, method="manual", starts_at=at)
            for client, at, (partner, _quick, _cpa) in zip(made, born, self.of, strict=True)
        )
        learn_many(Seen(made[place].pk, kind, value, first=born[place]) for place, kind, value in self.seen)
        run = CommissionRun.objects.create(brand=self.cast.brand, kind="nightly", started_at=self.now)
        period = SettlementPeriod.objects.create(
            brand=self.cast.brand, name="simulated", starts_at=self.now - 200 * DAY, ends_at=self.now + DAY
        )
        rows = []
        for client, at, (partner, quick, cpa) in zip(made, born, self.of, strict=True):
            for n in range(5):
                held = self.random.randrange(20, 100) if quick else self.random.randrange(60, 90_000)
                rows.append(self._line(run, period, client, partner, at + (n % 3) * DAY, "lot", held))
            if cpa:
                rows.append(self._line(run, period, client, partner, at + 2 * DAY, "cpa", None))
        Accrual.objects.bulk_create(rows)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE clients_client, clients_identifier, ib_attribution, ib_accrual, ib_partner")

    def _line(self, run, period, client, partner, at, component, held) -> Accrual:
        self.count += 1
        return Accrual(
            run=run,
            kind="original",
            state="accrued",
            partner=partner,
            introducer=partner,
            level=1,
            client=client,
            deal_id=10_000_000 + self.count,
            ticket=self.count,
            closed_at=at,
            account_id=1,
            symbol="EURUSD",
            symbol_group="fx_majors",
            lots=Decimal(1),
            held_seconds=held,
            version=self.version,
            component=component,
            rate=Decimal(6),
            share=Decimal(1),
            fx_rate=Decimal(1),
            currency="EUR",
            amount=Decimal(6),
            period=period,
            created_at=self.now,
        )


def honest(world: World, partner: Partner, n: int) -> None:
    for cpa, gone, quick in zip(world.some(0.5, n), world.some(0.12, n), world.some(0.1, n), strict=True):
        world.client(partner, cpa=cpa, gone=gone, quick=quick)


def office(world: World, partner: Partner, n: int) -> None:
    """An agency that registers its clients in its office: one network for all, and for its own login."""
    learn_of_staff(partner.user_id, NETWORK, "9.9.9.1")
    for n_th in range(n):
        world.client(partner, {NETWORK: "9.9.9.1"}, cpa=n_th % 2 == 0)


def families(world: World, partner: Partner, n: int) -> None:
    """Couples who share a device and an account, and one relative of the partner."""
    own = world.things()
    learn_of_staff(partner.user_id, DEVICE, own[DEVICE])
    for n_th in range(n // 2):
        shared = world.things()
        for _person in range(2):
            world.client(partner, {DEVICE: shared[DEVICE], BANK: shared[BANK]})
        if n_th == 0:
            world.client(partner, {DEVICE: own[DEVICE]})


def scalpers(world: World, partner: Partner, n: int) -> None:
    """A signal seller whose followers trade fast, a third of them only that."""
    for quick in world.some(0.33, n):
        world.client(partner, quick=quick)


def self_referral(world: World, partner: Partner, n: int) -> None:
    own = world.things()
    learn_of_staff(partner.user_id, DEVICE, own[DEVICE])
    for is_own in world.some(world.random.uniform(0.3, 0.6), n):
        world.client(partner, {DEVICE: own[DEVICE]} if is_own else None)


def ring(world: World, partner: Partner, n: int) -> None:
    """A handful of people behind many clients: one card or device for three to five of them."""
    left = round(world.random.uniform(0.5, 0.8) * n)
    while left > 0:
        kind, shared = world.random.choice((DEVICE, CARD, BANK)), world.things()
        size = world.random.randint(3, 5)
        for _person in range(size):
            world.client(partner, {kind: shared[kind]})
        left -= size
    honest(world, partner, n // 3)


def cycling(world: World, partner: Partner, n: int) -> None:
    """The same people, who left as clients of another partner, again as new ones."""
    before = make_partner(world.cast.brand)
    for is_again in world.some(world.random.uniform(0.35, 0.7), n):
        things = world.things()
        if is_again:
            world.client(before, things, days=150, gone=True)
        world.client(partner, things if is_again else None, days=30)


def churning(world: World, partner: Partner, n: int) -> None:
    for quick in world.some(world.random.uniform(0.7, 1.0), n):
        world.client(partner, quick=quick)


def farm(world: World, partner: Partner, n: int) -> None:
    """Clients who deposit and trade the least that pays the CPA, and are gone."""
    for gone in world.some(world.random.uniform(0.6, 0.95), n):
        world.client(partner, cpa=True, gone=gone, days=70)


GOOD: tuple[Callable[[World, Partner, int], None], ...] = (honest, office, families, scalpers)
BAD: tuple[Callable[[World, Partner, int], None], ...] = (self_referral, ring, cycling, churning, farm)


def simulate(cast, version: PlanVersion, *, each: int, seed: int) -> tuple[World, dict[int, str]]:
    """Make so many partners of each kind; returns the kind by partner."""
    world, kinds = World(cast, version, seed=seed), {}
    for kind in (*GOOD, *BAD):
        for _partner in range(each):
            partner = make_partner(cast.brand)
            kinds[partner.pk] = kind.__name__
            kind(world, partner, world.random.randint(8, 24))
    world.write()
    return world, kinds
