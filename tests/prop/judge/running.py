"""A running phase for tests of the live judge: its account, and what the platform is seen to do to it."""

import datetime as dt
from decimal import Decimal

from django.utils import timezone

from prop.choices import ChallengeState, StageState, VersionState
from prop.models import Challenge, PhaseAccount, Programme, ProgrammePhase, ProgrammeSize, ProgrammeVersion
from tests.trading.factories import make_account, make_server, make_type
from tests.wallet.factories import fund
from trading.choices import DealAction, DealEntry
from trading.models import Deal, SyncCursor
from wallet.models import Journal


def run_phase(cast, *, server=None, login="", started_at=None, **rules) -> PhaseAccount:
    """A phase of 10,000 EUR with a daily loss of 5 % and a static maximum of 10 %, begun an hour before noon."""
    server = server or make_server(time_zone="Europe/Athens")
    kind = make_type(cast.brand, server)
    version = ProgrammeVersion.objects.create(
        programme=Programme.objects.create(brand=cast.brand, name="Two steps"),
        number=1,
        currency="EUR",
        account_type=kind,
        funded_account_type=kind,
        made_by=cast.finance,
    )
    terms = {"number": 1, "target": 8, "daily_loss": 5, "max_loss": 10, **rules}
    phase = ProgrammePhase.objects.create(version=version, **terms)
    size = ProgrammeSize.objects.create(version=version, balance=10_000, fee=100, reset_fee=50)
    version.move_to(VersionState.PUBLISHED)
    version.published_at = timezone.now()
    version.save()
    fund(cast.client, 10_000)
    challenge = Challenge.objects.create(
        brand=cast.brand,
        client=cast.client,
        version=version,
        size=size,
        currency="EUR",
        balance=Decimal(10_000),
        price=100,
        request_key="one",
        payment=Journal.objects.first(),
        bought_at=timezone.now(),
    )
    SyncCursor.objects.create(server=server, kind="deals", read_at=timezone.now() + dt.timedelta(days=400))
    account = make_account(cast.client, server, login=login)
    return PhaseAccount.objects.create(
        challenge=challenge,
        phase=phase,
        account=account,
        state=StageState.RUNNING,
        started_at=started_at or NOON - dt.timedelta(hours=1),
    )


def run_another(row: PhaseAccount, *, key: str, state: ChallengeState = ChallengeState.ACTIVE) -> PhaseAccount:
    """The same trader's next challenge in the version of another one, running since then on an account of its own."""
    known, first = Challenge.objects.values("payment"), row.challenge
    fund(first.client, 10_000, key=key)
    challenge = Challenge.objects.create(
        brand=first.brand,
        client=first.client,
        version=first.version,
        size=first.size,
        currency=first.currency,
        balance=first.balance,
        price=first.price,
        request_key=key,
        payment=Journal.objects.exclude(pk__in=known).order_by("-pk")[0],
        bought_at=first.bought_at,
        state=state,
    )
    return PhaseAccount.objects.create(
        challenge=challenge,
        phase=row.phase,
        account=make_account(first.client, row.account.server),
        state=StageState.RUNNING,
        started_at=row.started_at,
    )


NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def show(row: PhaseAccount, seconds: int, balance: str, equity: str) -> None:
    """The platform was read, so many seconds after noon."""
    account = row.account
    account.balance, account.equity, account.synced_at = (
        Decimal(balance),
        Decimal(equity),
        NOON + dt.timedelta(seconds=seconds),
    )
    account.save(update_fields=["balance", "equity", "synced_at"])


def trade(row: PhaseAccount, seconds: int, entry: DealEntry, *, profit: str = "0", lots: str = "1") -> Deal:
    at = NOON + dt.timedelta(seconds=seconds)
    none = Decimal(0)
    return Deal.objects.create(
        executed_at=at,
        server=row.account.server,
        ticket=7000 + Deal.every.count(),
        account=row.account,
        login=row.account.login,
        server_msc=0,
        action=DealAction.BUY,
        entry=entry,
        symbol="EURUSD",
        lots=Decimal(lots),
        closed_lots=none,
        contract_size=Decimal(100_000),
        price=Decimal("1.1"),
        price_position=none,
        profit=Decimal(profit),
        commission=none,
        swap=none,
        fee=none,
        position_id=1,
        order_id=1,
        raw={},
        synced_at=at,
    )
