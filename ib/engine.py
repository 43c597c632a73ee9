"""The commission engine: set-based SQL from confirmed closing deals to accruals. It never edits a row it wrote.

A pass has three steps: the closing deals in scope with the facts that decide, such as who referred the client when the
position was closed, how long it was held, which symbol group (`ib.calculation.facts`); what they should earn everyone
upline (`ib.calculation.wanted`); and the rows that are missing. A replay also writes the difference where `wanted`
is not what earlier rows add up to.

What is dated (referral, tree, plan, version, a partner being active) is asked of the instant the position was closed.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F, Max
from django.utils import timezone

from crm.models import Actor, Brand
from crm.rates import fx
from crm.security import audit
from ib import periods
from ib.audit_codes import IbAction
from ib.calculation import caps, excluded, facts, narrowing, passed, ranks, wanted
from ib.calculation import writing as sql
from ib.calculation.tried import Instead
from ib.calculation.wanted import Features
from ib.choices import RunKind
from ib.models import CommissionRun, Partner
from wallet.choices.deposits import DEPOSIT_ARRIVED

logger = logging.getLogger(__name__)
# How far back the nightly pass looks for what came late or was corrected.
NIGHTLY_DAYS = 5
# After an outage the pass begins so long before the last one's end, in pieces; what a night leaves the next one does.
NIGHTLY_PIECE_DAYS, NIGHTLY_PIECES_MAX = 7, 10
# A pass sorts and sums its lines in memory; more than this goes to disk, in pieces. Statistics of its tables are taken several
# times: those of a sample of 6,000 rows do.
MEMORY = "SET LOCAL work_mem = '64MB'; SET LOCAL default_statistics_target = 20"
# A partner with everybody who was below them at some time.
NETWORK = "SELECT n.partner_id FROM ib_upline n WHERE n.ancestor_id = %(network)s"


@dataclass(frozen=True)
class Scope:
    """Which closing deals a pass looks at: some ids, or all that were closed in a stretch of time; of a partner's network only."""

    deal_ids: list[int] | None = None
    from_at: dt.datetime | None = None
    to_at: dt.datetime | None = None
    client_id: int | None = None
    network_of: int | None = None

    def where(self) -> tuple[str, dict[str, Any]]:
        parts: list[str] = []
        parameters: dict[str, Any] = {}
        if self.deal_ids is not None:
            parts.append("d.id = ANY(%(deal_ids)s)")
            parameters["deal_ids"] = self.deal_ids
        if self.from_at is not None:
            parts.append("d.executed_at >= %(from_at)s AND d.executed_at < %(to_at)s")
            parameters |= {"from_at": self.from_at, "to_at": self.to_at}
        if self.client_id is not None:
            parts.append("a.client_id = %(client)s")
            parameters["client"] = self.client_id
        if self.network_of is not None:
            parts.append(f"att.partner_id IN ({NETWORK})")
            parameters["network"] = self.network_of
        assert parts, "a pass without a scope would read every deal there is"
        return " AND ".join(parts), parameters

    def accrued(self) -> tuple[str, dict[str, Any]]:
        """Rewrite the condition of `where` for rows that were accrued before."""
        where, parameters = self.where()
        rows = where.replace("d.id", "x.deal_id").replace("d.executed_at", "x.closed_at")
        # Clients' months are calculated beside their deals.
        rows = rows.replace("a.client_id", "x.client_id").replace("att.partner_id", "x.introducer_id")
        return f"{rows} AND x.deal_id > 0", parameters


@dataclass
class EngineResult:
    deals: int = 0
    accrued: int = 0
    excluded: int = 0
    corrected: int = 0

    @property
    def rows(self) -> int:
        return self.accrued + self.excluded + self.corrected

    def add(self, other: EngineResult) -> None:
        for name in ("deals", "accrued", "excluded", "corrected"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@transaction.atomic
def run(
    *,
    brand: Brand,
    scope: Scope,
    kind: RunKind,
    corrects: bool,
    actor: Actor = None,
    reason: str = "",
    source: str = "",
) -> tuple[CommissionRun | None, EngineResult]:
    """Run one pass over a scope; return its row (None when there was nothing to write and nobody asked) and its counts.

    Running it again over the same deals writes nothing: one accrual per deal, partner and level, also a unique index.
    `corrects` compares with what was accrued before and writes differences as further rows. `source` names, in each of them,
    what asked for it.
    """
    periods.lock_commissions(brand.pk)
    started_at = timezone.now()
    outcome = EngineResult()
    with connection.cursor() as cursor:
        features = _gather(cursor, brand, scope, corrects)
        cursor.execute("SELECT count(*), min(closed_at), max(closed_at) FROM ib_closing WHERE cpa_version IS NULL")
        outcome.deals, first, last = cursor.fetchone()
        if outcome.deals == 0 and not corrects:
            _drop(cursor)
            return None, outcome
        periods.ensure_periods(brand, first or started_at, last or started_at)
        row = _row(brand, scope, kind, actor, reason, started_at)
        late = periods.open_period(brand.pk)
        assert late is not None, "now is always in an open period, or in one a settlement cut"
        parameters: dict[str, Any] = {
            "brand": brand.pk,
            "run": row.pk,
            "now": started_at,
            "late": late.pk,
            "source": source,
        }
        _calculate(cursor, features, parameters, corrects=corrects)
        parameters["mark"] = passed.last_line(cursor) if features.has_passed else None
        if corrects:
            cursor.execute(sql.DROP_KNOWN)
        cursor.execute(sql.MISSING if scope.deal_ids is None else sql.MISSING + sql.IN_ORDER, parameters)
        several = sql.ADD_UP_COMPONENTS if features.has_components or features.has_cpa else sql.ADD_UP_WANTED
        cursor.execute(sql.ADD_UP_BESIDE if corrects else several, parameters)
        cursor.execute(sql.COUNTS)
        outcome.accrued, outcome.excluded = cursor.fetchone()
        if corrects:
            accrued, extra = scope.accrued()
            cursor.execute(sql.CORRECTIONS.format(accrued=accrued), {**parameters, **extra})
            outcome.corrected = cursor.fetchone()[0]
        if features.has_caps:
            accrued, extra = scope.accrued()
            given = {**parameters, **extra, "zone": brand.time_zone}
            outcome.corrected += caps.take_off(
                cursor, scope=accrued if corrects else None, afresh=kind == RunKind.REPLAY, parameters=given
            )
        if features.has_passed:
            outcome.corrected += passed.pass_on(cursor, parameters)
        _drop(cursor)
    _count(row, outcome)
    if kind in (RunKind.NIGHTLY, RunKind.REPLAY):
        audit.record(
            actor=actor,
            action=IbAction.COMMISSIONS_RUN,
            target=row,
            brand_id=brand.pk,
            reason=reason,
            after={
                "deals": outcome.deals,
                "accrued": outcome.accrued,
                "excluded": outcome.excluded,
                "corrected": outcome.corrected,
            },
        )
    return row, outcome


@contextmanager
def gathered(*, brand: Brand, scope: Scope, instead: Instead) -> Iterator[Callable[[], None]]:
    """Gather a scope's deals with a version tried out; what is yielded fills `ib_wanted`. Nothing is written.

    Within, `ib_fx` has the rates of the accounts' and partners' currencies into the plans', too. Call in a transaction.
    """
    with connection.cursor() as cursor:
        features = _gather(cursor, brand, scope, corrects=True, instead=instead)

        def calculate() -> None:
            _calculate(cursor, features, {"brand": brand.pk, "late": 0}, is_tried=True)
            if features.has_caps:
                given = {"zone": brand.time_zone, "network": scope.network_of}
                if scope.network_of is None:
                    cursor.execute(caps.TRIED, given)
                else:
                    # Of partners above the network its trades are a part of what their caps count.
                    cursor.execute(caps.BESIDE, {**given, "from_at": scope.from_at, "to_at": scope.to_at})
                    for statement in caps.TRIED_BESIDE:
                        cursor.execute(statement, given)

        yield calculate
        _drop(cursor)


@transaction.atomic
def differing_deals(*, brand: Brand, scope: Scope) -> dict[int, bool]:
    """Calculate a scope again and list the deals that earn something else than what was accrued, or have no line yet.

    So are those of which a cap takes another part than was taken off.

    True where a CPA differs: then it may have moved to or from a deal outside the scope. Nothing is written, nothing locked.
    """
    with connection.cursor() as cursor:
        features = _gather(cursor, brand, scope, corrects=True)
        _calculate(cursor, features, {"brand": brand.pk, "late": 0}, corrects=True)
        accrued, extra = scope.accrued()
        cursor.execute(sql.DIFFERING.format(accrued=accrued), {"brand": brand.pk, **extra})
        found: dict[int, bool] = dict(cursor.fetchall())
        if features.has_caps:
            cursor.execute(caps.OFF.format(scope=accrued), {"brand": brand.pk, "zone": brand.time_zone, **extra})
            found |= {pk: False for (pk,) in cursor.fetchall() if pk not in found}
        _drop(cursor)
    return found


def _gather(
    cursor: CursorWrapper, brand: Brand, scope: Scope, corrects: bool, instead: Instead | None = None
) -> Features:
    """Fill the temporary tables that a pass works on; `instead`: a version to try out."""
    where, parameters = scope.where()
    cursor.execute(MEMORY)
    features = wanted.features_of(cursor, brand, instead)
    closing = facts.CLOSING.format(
        where=where,
        not_yet="" if corrects else facts.NOT_YET,
        country=facts.COUNTRY_THEN if features.has_countries else facts.COUNTRY_NOW,
        lots=facts.LOTS,
        symbol=facts.SYMBOL,
        order=facts.IN_ORDER if instead is None else "",
    )
    cursor.execute(closing, {**parameters, "brand": brand.pk})
    cursor.execute("ANALYZE ib_version, ib_closing")
    cursor.execute(facts.OPENED, {})
    if features.has_tiers:
        ranks.gather(cursor, brand, instead)
    cursor.execute(
        "CREATE TEMP TABLE ib_fx (base text, quote text, day date, rate numeric(20,10), rate_on date) ON COMMIT DROP"
    )
    rows = _rates(cursor, brand, features, is_tried=instead is not None)
    if rows:
        cursor.executemany("INSERT INTO ib_fx VALUES (%s, %s, %s, %s, %s)", rows)
    cursor.execute("ANALYZE ib_version, ib_opened, ib_fx")
    if instead is not None:
        narrowing.narrow(cursor, features, instead)
    if features.has_cpa:
        accrued, extra = scope.accrued()
        not_yet = facts.NO_CPA_ELSEWHERE.format(accrued=accrued) if corrects else facts.NO_CPA_YET
        qualified = facts.QUALIFIED.format(not_yet=not_yet, agreements=features.agreements)
        cursor.execute(qualified, {"arrived": list(DEPOSIT_ARRIVED), **extra})
    _lay_out(cursor, brand, features)
    if instead is not None:
        cursor.execute(narrowing.ONLY_TRIED)
    cursor.execute("ANALYZE ib_cell, ib_level, ib_above, ib_own")
    return features


def _lay_out(cursor: CursorWrapper, brand: Brand, features: Features) -> None:
    """Fill the tables of what the plans pay, whom, and which deals they leave out."""
    cursor.execute(";".join(facts.CARDS).format(agreements=features.agreements), {})
    if features.has_shared:
        cursor.execute(facts.SHARED, {"brand": brand.pk})
        cursor.execute("ANALYZE ib_shared")
    if features.has_odd:
        mirrored = "true" if features.has_mirrored else "false"
        for table, statement in excluded.STEPS:
            cursor.execute(statement.format(mirrored=mirrored, agreements=features.agreements))
            cursor.execute(f"ANALYZE {table}")


def _calculate(
    cursor: CursorWrapper,
    features: Features,
    parameters: dict[str, Any],
    *,
    corrects: bool = False,
    is_tried: bool = False,
) -> None:
    """Fill `ib_wanted`: what everyone upline should earn on the deals that were gathered."""
    cursor.execute(wanted.statement(features, is_tried=is_tried), parameters)
    if corrects or features.has_difference or features.has_caps:
        cursor.execute(wanted.ANALYZE)  # all of them join it
    if features.has_difference:
        cursor.execute(wanted.DIFFERENCES)
    if features.has_upline_cap:
        cursor.execute(wanted.UPLINE_CAP)


def _drop(cursor: CursorWrapper) -> None:
    """Drop a pass's temporary tables: a transaction may hold several passes, one per brand."""
    cursor.execute(f"DROP TABLE IF EXISTS {', '.join(facts.TABLES)}")


def _rates(
    cursor: CursorWrapper, brand: Brand, features: Features, *, is_tried: bool
) -> list[tuple[str, str, dt.date, Decimal, dt.date]]:
    """List reference rates of the days that are traded on, from each plan's currency into each partner's: one query.

    Components of money also need rates from the accounts' and the symbols' currencies into the plans'; what is tried out is
    compared in the version's currency.
    """
    cursor.execute("SELECT DISTINCT (closed_at AT TIME ZONE 'UTC')::date FROM ib_closing")
    days = [day for (day,) in cursor.fetchall()]
    cursor.execute("SELECT DISTINCT currency FROM ib_version")
    plans = {currency for (currency,) in cursor.fetchall()}
    bases, quotes = (
        set(plans),
        set(Partner.objects.filter(brand=brand).order_by("currency").values_list("currency", flat=True).distinct()),
    )
    if is_tried:
        bases |= quotes
    if features.has_difference or features.has_components or features.has_cpa or features.has_revenue or is_tried:
        quotes |= plans
    if features.has_components or features.has_revenue or is_tried:
        cursor.execute("SELECT account_currency FROM ib_closing UNION SELECT quote_currency FROM ib_closing")
        bases |= {currency for (currency,) in cursor.fetchall() if currency}
    rates = fx.rates_of_days(bases, quotes, days)
    return [(base, quote, day, round(rate.rate, 10), rate.on) for (base, quote, day), rate in sorted(rates.items())]


def _row(
    brand: Brand, scope: Scope, kind: RunKind, actor: Actor, reason: str, started_at: dt.datetime
) -> CommissionRun:
    if kind == RunKind.EVENT:
        midnight = started_at.replace(hour=0, minute=0, second=0, microsecond=0)
        row, _created = CommissionRun.objects.get_or_create(
            brand=brand,
            kind=kind,
            from_at=midnight,
            defaults={"to_at": midnight + dt.timedelta(days=1), "started_at": started_at},
        )
        return row
    return CommissionRun.objects.create(
        brand=brand,
        kind=kind,
        from_at=scope.from_at,
        to_at=scope.to_at,
        actor=actor,
        reason=reason,
        started_at=started_at,
    )


def _count(row: CommissionRun, outcome: EngineResult) -> None:
    CommissionRun.objects.filter(pk=row.pk).update(
        deals=F("deals") + outcome.deals,
        accrued=F("accrued") + outcome.accrued,
        excluded=F("excluded") + outcome.excluded,
        corrected=F("corrected") + outcome.corrected,
        finished_at=timezone.now(),
    )


def run_for_deals(*, deal_ids: list[int], corrects: bool = False) -> EngineResult:
    """Accrue what some deals earn (at most 1,000 of one sync); changed ones are corrected. One pass per brand.

    `corrects`: look again at deals that have rows, because they mean something else now (their symbol was mapped). Closes
    whose opening is among the deals, and came after them or changed, are looked at again in any case; so are those that a late
    deal may have hedged or funded.
    """
    total = EngineResult()
    if not deal_ids:
        return total
    with connection.cursor() as cursor:
        reopened: set[int] = set()
        for statement in (sql.REOPENED, excluded.REOPENED):
            cursor.execute(statement, {"deals": deal_ids})
            reopened.update(pk for (pk,) in cursor.fetchall())
    _run_by_brand(deal_ids, corrects, total)
    if reopened:
        _run_by_brand(sorted(reopened), True, total)
    return total


def _run_by_brand(deal_ids: list[int], corrects: bool, total: EngineResult) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.CONCERNED, [deal_ids])
        brands = cursor.fetchall()
    for brand_id, has_changed in brands:
        is_changed = has_changed or corrects
        _row_of_run, outcome = run(
            brand=Brand.objects.get(pk=brand_id),
            scope=Scope(deal_ids=deal_ids),
            corrects=is_changed,
            kind=RunKind.CORRECTION if is_changed else RunKind.EVENT,
        )
        total.add(outcome)


def run_nightly(*, brand: Brand, days: int = NIGHTLY_DAYS) -> EngineResult:
    """Look over the last days once more: deals that came late, openings that were missing, corrections.

    The last days before the last nightly pass ended, so that an outage leaves nothing out. Bounded: the next night goes on.
    """
    now, total = timezone.now(), EngineResult()
    last = CommissionRun.objects.filter(brand=brand, kind=RunKind.NIGHTLY).aggregate(to=Max("to_at"))["to"]
    from_at = min(last or now, now) - dt.timedelta(days=days)
    for _piece in range(NIGHTLY_PIECES_MAX):
        to_at = min(from_at + dt.timedelta(days=max(days, NIGHTLY_PIECE_DAYS)), now)
        _row_of_run, outcome = run(
            brand=brand, scope=Scope(from_at=from_at, to_at=to_at), kind=RunKind.NIGHTLY, corrects=True
        )
        total.add(outcome)
        if to_at == now:
            return total
        from_at = to_at
    logger.warning("commissions of %s: deals closed since %s wait for the next night", brand.code, from_at)
    return total
