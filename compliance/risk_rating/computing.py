"""Ratings with one statement: of one client, of thousands, and of a model that is only looked at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import Case, IntegerField, OuterRef, QuerySet, Subquery, Value, When

from clients.choices import RiskRating
from compliance.models import RiskOverride
from compliance.risk_rating.content import RANKS, Content, Factor
from compliance.risk_rating.vocabulary import RISK, risk_subjects
from crm.choices import ApprovalState
from crm.conditions import readable
from crm.models import Brand

SAMPLE: Final = 5
RATINGS: Final = "ARRAY['" + "', '".join(rank.value for rank in RANKS) + "']"
# A person's own rating counts above the points; what a factor always makes counts above both.
SCORED: Final = """
WITH flagged AS MATERIALIZED ({subjects}), scored AS (
  SELECT id, GREATEST(0, {points}) AS points, {floor} AS least, own_rank, own_id,
    array_remove(ARRAY[{codes}]::varchar(40)[], NULL) AS factors
  FROM flagged
), rated AS (
  SELECT s.id, s.points, s.factors, CASE WHEN own_rank > 0 THEN s.own_id END AS override_id,
    ({ratings})[GREATEST(least, CASE WHEN own_rank > 0 THEN own_rank
      WHEN points >= %s THEN 3 WHEN points >= %s THEN 2 ELSE 1 END)] AS rating
  FROM scored s
)
"""
DIFFERENT: Final = """
SELECT r.id, r.rating, r.points, r.factors::text, r.override_id, coalesce(a.rating, ''),
  a.id IS NULL OR (a.rating, a.points, a.factors) IS DISTINCT FROM (r.rating, r.points, r.factors)
FROM rated r LEFT JOIN compliance_riskassessment a ON a.client_id = r.id AND a.is_current
WHERE a.id IS NULL OR (a.rating, a.points, a.factors, a.model_id, coalesce(a.override_id, 0))
  IS DISTINCT FROM (r.rating, r.points, r.factors, %s, coalesce(r.override_id, 0))
ORDER BY r.id
"""
MOVES: Final = """
SELECT a.rating, r.rating, count(*), count(*) FILTER (WHERE c.kyc_level > 0),
  (array_agg(r.id ORDER BY r.id DESC))[1:{sample}]
FROM rated r JOIN compliance_riskassessment a ON a.client_id = r.id AND a.is_current JOIN clients_client c ON c.id = r.id
GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Rated:
    """A client whose rating, or what counted in it, differs from the current one. `factors`: an array as PostgreSQL writes it."""

    client_id: int
    rating: str
    points: int
    factors: str
    override_id: int | None
    before: str
    is_different: bool  # False: only the model or the person's rating behind it is another one

    @property
    def codes(self) -> list[str]:
        return [code for code in self.factors.strip("{}").split(",") if code]


def usable_factors(content: Content) -> list[Factor]:
    """List the factors that count: one whose fact no longer exists counts for no client, and the page says so."""
    return [factor for factor in content.factors if readable(dict(factor.condition), RISK) is not None]


def flagged(brand: Brand, content: Content, now: dt.datetime) -> QuerySet[Any]:
    """Select a brand's clients with 1 or 0 for each factor that counts, and the rating that a person gave them."""
    flags = {}
    for number, factor in enumerate(usable_factors(content)):
        condition = readable(dict(factor.condition), RISK)
        assert condition is not None
        flags[f"f{number}"] = Case(When(condition.q(now), then=Value(1)), default=Value(0), output_field=IntegerField())
    own = RiskOverride.objects.filter(client=OuterRef("pk"), state=ApprovalState.APPROVED).order_by("-pk")
    rank = Case(
        *(
            When(rating=rating, ends_on__gte=now.date(), then=Value(place))
            for place, rating in enumerate(RANKS, start=1)
        ),
        default=Value(0),
        output_field=IntegerField(),
    )
    subjects = risk_subjects(brand, now.date()).annotate(
        own_rank=Subquery(own.annotate(rank=rank).values("rank")[:1]), own_id=Subquery(own.values("pk")[:1]), **flags
    )
    rows: QuerySet[Any] = subjects.order_by().values_list("id", "own_rank", "own_id", *flags)
    return rows


def _scored(brand: Brand, content: Content, now: dt.datetime, ids: Sequence[int] | None) -> tuple[str, list[Any]]:
    rows = flagged(brand, content, now)
    subjects, given = (rows if ids is None else rows.filter(pk__in=list(ids))).query.sql_with_params()
    factors = usable_factors(content)
    number = {factor.code: place for place, factor in enumerate(factors)}
    sums = []
    for _group, cap, members in content.groups():
        terms = [f"f{number[part.code]} * {int(part.points)}" for part in members if part.code in number]
        if terms:
            total = " + ".join(f"({term})" for term in terms)
            sums.append(total if cap is None else f"LEAST({int(cap)}, {total})")
    floors = [
        f"f{number[factor.code]} * {RANKS.index(RiskRating(factor.at_least)) + 1}"
        for factor in factors
        if factor.at_least
    ]
    codes = [f"CASE WHEN f{place} = 1 THEN %s END" for place in range(len(factors))]
    statement = SCORED.format(
        subjects=subjects,
        points=" + ".join(sums) or "0",
        floor=f"GREATEST({', '.join(floors)})" if floors else "0",
        codes=", ".join(codes),
        ratings=RATINGS,
    )
    return statement, [*given, *(factor.code for factor in factors), content.high_from, content.medium_from]


def rate(brand: Brand, content: Content, *, model_id: int, ids: Sequence[int], now: dt.datetime) -> list[Rated]:
    """Rate clients of a brand and return those whose current rating isn't this one. One statement; writes nothing."""
    statement, given = _scored(brand, content, now, ids)
    with connection.cursor() as cursor:
        cursor.execute(statement + DIFFERENT, [*given, model_id])
        return [Rated(*row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Move:
    """How many rated clients go from one band to another, how many of them are verified, and the newest ones."""

    before: RiskRating
    after: RiskRating
    clients: int
    verified: int
    sample: tuple[int, ...]

    @property
    def step(self) -> int:
        return RANKS.index(self.after) - RANKS.index(self.before)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a model would do to a brand's rated clients today."""

    moves: tuple[Move, ...]

    @property
    def changes(self) -> list[Move]:
        return [move for move in self.moves if move.step]

    @property
    def total(self) -> int:
        return sum(move.clients for move in self.moves)

    @property
    def moved(self) -> int:
        return sum(move.clients for move in self.changes)

    def clients_in(self, rating: str, *, after: bool) -> int:
        """Count the clients of a band, before or after."""
        return sum(move.clients for move in self.moves if (move.after if after else move.before) == rating)

    @property
    def bands(self) -> list[tuple[RiskRating, int, int]]:
        return [(rating, self.clients_in(rating, after=False), self.clients_in(rating, after=True)) for rating in RANKS]

    @property
    def becoming_high(self) -> int:
        return sum(move.clients for move in self.changes if move.after == RiskRating.HIGH)

    @property
    def no_longer_high(self) -> int:
        return sum(move.clients for move in self.changes if move.before == RiskRating.HIGH)

    @property
    def reviewed_sooner(self) -> int:
        return sum(move.verified for move in self.changes if move.step > 0)

    @property
    def reviewed_later(self) -> int:
        return sum(move.verified for move in self.changes if move.step < 0)


def preview(brand: Brand, content: Content, now: dt.datetime) -> Preview:
    """Count which rated clients of a brand a model would move, with one statement."""
    statement, given = _scored(brand, content, now, None)
    with connection.cursor() as cursor:
        cursor.execute(statement + MOVES.format(sample=SAMPLE), given)
        rows = cursor.fetchall()
    moves = [
        Move(RiskRating(before), RiskRating(after), clients, verified, tuple(sample))
        for before, after, clients, verified, sample in rows
    ]
    return Preview(tuple(sorted(moves, key=lambda move: (-abs(move.step), -move.clients))))
