"""The leaderboard of a programme: traders who agreed, by profit in percent of their account's size."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.core.cache import cache
from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.utils import timezone

from crm.models import User
from crm.security import crypto
from prop.choices import BoardPeriod, PayoutState, ShownAs, StageState, VersionState
from prop.models import ChallengeDay, ChallengePayout, LeaderboardConsent, PhaseAccount, Programme
from prop.policies import NO_CHALLENGES
from prop.queries import programmes_visible_to
from prop.sentences import name_of

PLACES_MAX: Final = 50
PROGRAMMES_MAX: Final = 50
RANKED_MAX: Final = 200  # so many more that first places are filled while others may no longer be shown
RANKED: Final = ("pk", "challenge__client", F("challenge__balance") + F("growth"))
READ: Final = ("phase__number", "phase__is_funded", "challenge__client__first_name", "challenge__client__last_name")
READ_MAX: Final = 20_000  # accounts: of a trader with several the best one counts
KEPT_SECONDS: Final = 60
Result = tuple[Decimal, int]
SHOWN: Final = (StageState.RUNNING, StageState.REVIEW, StageState.PASSED)


@dataclass(frozen=True, slots=True)
class Place:
    """A trader's place: what they agreed to show, and nothing else of them."""

    number: int
    name: str
    stage: str
    share: Decimal
    days: int
    payouts: int
    is_own: bool


def programmes_with_board(user: User) -> QuerySet[Programme]:
    """List programmes that were ever on sale: a trader sees their brand's, staff those of brands in reach."""
    if user.is_team:
        seen = programmes_visible_to(user)
    else:
        seen = Programme.objects.filter(brand__clients__user=user)
    sold = seen.filter(versions__state__in=[VersionState.PUBLISHED, VersionState.RETIRED])
    return sold.select_related("brand").distinct().order_by("brand__name", "name")


def board_of(programme: Programme, period: BoardPeriod, *, own_client_id: int | None = None) -> list[Place]:
    """Rank the traders who agreed, by the profit of this month or of all days: five statements, however many traders.

    Whether those of the first places may be shown is asked each time; their order and profit may be a minute old. The profit of a
    day is its closing balance less its opening one, so that a payout doesn't lower it.
    """
    since = timezone.localdate().replace(day=1) if period == BoardPeriod.MONTH else None
    ranked = _ranking(programme, since)
    may_be_shown = set(_shown(programme).filter(pk__in=[each[0] for each in ranked]).values_list("pk", flat=True))
    places = [each for each in ranked if each[0] in may_be_shown][:PLACES_MAX]
    rows = (
        PhaseAccount.objects.select_related("phase", "challenge__client")
        .only(*READ)
        .in_bulk([each[0] for each in places])
    )
    names, payouts = _names([*rows.values()]), _payouts([*rows], since)
    return [
        Place(
            number=number,
            name=names[client_id],
            stage=name_of(rows[pk].phase),
            share=share,
            days=days,
            payouts=payouts.get(pk, 0),
            is_own=client_id == own_client_id,
        )
        for number, (pk, client_id, share, days) in enumerate(places, start=1)
    ]


def _ranking(programme: Programme, since: dt.date | None) -> list[tuple[int, int, Decimal, int]]:
    """Rank accounts, the best one of each trader: account, trader, share in percent and traded days. Kept for a minute, and ranked
    again as soon as anybody agrees or withdraws."""
    agreed = LeaderboardConsent.objects.aggregate(count=Count("pk"), last=Max("agreed_at"))
    stamp = f"{agreed['count']}:{agreed['last']:%Y%m%d%H%M%S.%f}" if agreed["last"] else "0"
    key = f"prop.ranking:{programme.pk}:{since or 'all'}:{stamp}"
    kept: list[tuple[int, int, Decimal, int]] | None = cache.get(key)
    if kept is not None:
        return kept
    shown = {pk: (client_id, size) for pk, client_id, size in _shown(programme).values_list(*RANKED)[:READ_MAX]}
    results = _results(programme, since, [*shown])
    shares = {pk: profit * 100 / shown[pk][1] for pk, (profit, _days) in results.items() if pk in shown and profit > 0}
    best: dict[int, int] = {}
    for pk in sorted(shares, key=lambda pk: (-shares[pk], pk)):
        best.setdefault(shown[pk][0], pk)
    ranked = [(pk, client_id, round(shares[pk], 2), results[pk][1]) for client_id, pk in best.items()][:RANKED_MAX]
    cache.set(key, ranked, KEPT_SECONDS)
    return ranked


def _shown(programme: Programme) -> QuerySet[PhaseAccount]:
    """List the accounts of traders who agree to be shown and may be."""
    rows = PhaseAccount.objects.filter(
        challenge__version__programme=programme, challenge__client__leaderboard_consent__isnull=False, state__in=SHOWN
    )
    rows = rows.exclude(challenge__client__stage="closed")
    return rows.exclude(challenge__client__restrictions__overlap=sorted(NO_CHALLENGES)).order_by("pk")


def _results(programme: Programme, since: dt.date | None, accounts: Sequence[int]) -> dict[int, Result]:
    """Return each account's profit and traded days, kept for a minute: adding up thousands takes longer than a page may."""
    key = f"prop.board:{programme.pk}:{since or 'all'}"
    kept: dict[int, Result] = cache.get(key) or {}
    missing = set(accounts) - kept.keys()
    if missing:
        days = ChallengeDay.objects.filter(phase_account__in=missing)
        days = days if since is None else days.filter(day__gte=since)
        added = (
            days.order_by()
            .values_list("phase_account")
            .annotate(
                profit=Sum(F("closing_balance") - F("opening_balance")), traded=Count("pk", filter=Q(trades__gt=0))
            )
        )
        nothing = (Decimal(0), 0)
        kept.update(dict.fromkeys(missing, nothing) | {pk: (profit, traded) for pk, profit, traded in added})
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _names(rows: Sequence[PhaseAccount]) -> dict[int, str]:
    """Read what each trader agreed to show."""
    clients = [row.challenge.client for row in rows]
    consents = LeaderboardConsent.objects.filter(client__in=clients, shown_as=ShownAs.NICKNAME)
    sealed = [(pk, bytes(value or b"")) for pk, value in consents.values_list("client_id", "nickname_sealed")]
    opened: dict[int, bytes | Exception] = dict(
        zip((pk for pk, _value in sealed), crypto.decrypt_many_for_clients(sealed), strict=True)
    )
    return {client.pk: _text(opened[client.pk]) if client.pk in opened else client.full_name for client in clients}


def _text(opened: bytes | Exception) -> str:
    """Return a nickname that could be read; a dash where the client's key is gone."""
    return opened.decode() if isinstance(opened, bytes) else "–"


def _payouts(accounts: Sequence[int], since: dt.date | None) -> dict[int, int]:
    paid = ChallengePayout.objects.filter(phase_account__in=accounts, state=PayoutState.PAID)
    if since is not None:
        paid = paid.filter(ended_at__date__gte=since)
    return dict(paid.order_by().values_list("phase_account").annotate(number=Count("pk")))


@dataclass(frozen=True, slots=True)
class ProgrammeBoard:
    """What a person chose of the boards that they see. programme: None where no programme was ever on sale."""

    programmes: list[Programme]
    programme: Programme | None
    period: BoardPeriod
    places: list[Place]


def chosen_board(user: User, chosen: Mapping[str, str], *, own_client_id: int | None = None) -> ProgrammeBoard:
    """Read the board that an address names; what it doesn't name, or names wrongly, is the first programme and this month."""
    programmes = list(programmes_with_board(user)[:PROGRAMMES_MAX])
    wanted = chosen.get("programme", "")[:20]
    programme = next((each for each in programmes if str(each.pk) == wanted), programmes[0] if programmes else None)
    period = BoardPeriod.ALL if chosen.get("period") == BoardPeriod.ALL else BoardPeriod.MONTH
    places = board_of(programme, period, own_client_id=own_client_id) if programme else []
    return ProgrammeBoard(programmes, programme, period, places)
