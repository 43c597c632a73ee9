"""The leaderboard of a programme: traders who agreed, by profit in percent of their account's size, calculated on each visit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from crm.models import User
from crm.security import crypto
from prop.choices import BoardPeriod, PayoutState, ShownAs, StageState, VersionState
from prop.models import ChallengePayout, LeaderboardConsent, PhaseAccount, Programme
from prop.policies import NO_CHALLENGES
from prop.queries import programmes_visible_to
from prop.sentences import name_of

PLACES_MAX: Final = 50
PROGRAMMES_MAX: Final = 50
READ_MAX: Final = 500  # accounts: of a trader with several the best one counts
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
    """Rank the traders who agreed, by the profit of this month or of all days: four statements, however many traders.

    The profit of a day is its closing balance less its opening one, so that a payout doesn't lower it.
    """
    since = timezone.localdate().replace(day=1) if period == BoardPeriod.MONTH else None
    best: dict[int, PhaseAccount] = {}
    for row in _ranked(programme, since)[:READ_MAX]:
        best.setdefault(row.challenge.client_id, row)
    rows = list(best.values())[:PLACES_MAX]
    names, payouts = _names(rows), _payouts(rows, since)
    return [
        Place(
            number=number,
            name=names[row.challenge.client_id],
            stage=name_of(row.phase),
            share=round(Decimal(row.share), 2),  # type: ignore[attr-defined]
            days=row.traded,  # type: ignore[attr-defined]
            payouts=payouts.get(row.pk, 0),
            is_own=row.challenge.client_id == own_client_id,
        )
        for number, row in enumerate(rows, start=1)
    ]


def _ranked(programme: Programme, since: dt.date | None) -> QuerySet[PhaseAccount]:
    counted = Q() if since is None else Q(days__day__gte=since)
    rows = PhaseAccount.objects.filter(
        challenge__version__programme=programme, challenge__client__leaderboard_consent__isnull=False, state__in=SHOWN
    )
    rows = rows.exclude(challenge__client__stage="closed")
    rows = rows.exclude(challenge__client__restrictions__overlap=sorted(NO_CHALLENGES))
    rows = rows.annotate(
        profit=Sum(F("days__closing_balance") - F("days__opening_balance"), filter=counted),
        traded=Count("days", filter=counted & Q(days__trades__gt=0)),
    )
    rows = rows.filter(profit__gt=0).annotate(share=F("profit") * 100 / (F("challenge__balance") + F("growth")))
    return rows.select_related("phase", "challenge__client").order_by("-share", "pk")


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


def _payouts(rows: Sequence[PhaseAccount], since: dt.date | None) -> dict[int, int]:
    paid = ChallengePayout.objects.filter(phase_account__in=[row.pk for row in rows], state=PayoutState.PAID)
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
