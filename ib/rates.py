"""What a partner earns per lot today: their own plan for own clients; further down by the agreement that their plan names."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.core.cache import cache
from django.db.models import Count, prefetch_related_objects
from django.utils.translation import gettext as _

from crm.i18n import formats
from ib.agreements.cards import CARD, RateCard, limit_sentences, rate_card
from ib.agreements.ranks import rank_of
from ib.agreements.scopes import Scope, describe, in_order, link_codes
from ib.choices import Network, VersionState
from ib.manager_pages.kept import asked, kept
from ib.models import Partner, PartnerPlan, PlanVersion, Upline
from trading.choices import SymbolGroup

COLUMNS_MAX: Final = 12
BESIDE_MAX: Final = 8
CARD_KEPT: Final = 86_400
# Of the plans below, the first by level and name: some of them don't pay that level.
PLANS_MAX: Final = 24
# The plans of a network of so many partners are kept for minutes.
LARGE: Final = 1_000


@dataclass(frozen=True)
class RateColumn:
    """One level under one plan in force. Level 1 is the partner's own clients; `scope`: which of their trades, else the rest."""

    level: int
    version: PlanVersion
    scope: str = ""

    @property
    def is_own(self) -> bool:
        return self.level == 1

    @property
    def label(self) -> str:
        if not self.is_own:
            return _("Level %(level)s") % {"level": self.level}
        return _("Your clients: %(scope)s") % {"scope": self.scope} if self.scope else _("Your clients")


@dataclass(frozen=True)
class Rates:
    """`rows`: (symbol group, amount per lot or None, one per column). `network`: how clients of sub-partners are paid."""

    columns: list[RateColumn]
    rows: list[tuple[str, list[Decimal | None]]]
    network: str
    components: list[str]
    rank: str = ""

    @property
    def table(self) -> list[tuple[str, list[tuple[RateColumn, Decimal | None]]]]:
        """The rows with each amount beside its column."""
        return [(label, list(zip(self.columns, amounts, strict=True))) for label, amounts in self.rows]

    @property
    def has_gaps(self) -> bool:
        return any(amount is None for _label, amounts in self.rows for amount in amounts)

    @property
    def versions(self) -> list[PlanVersion]:
        return list({column.version.pk: column.version for column in self.columns}.values())


def rates_of(partner: Partner, agreements: list[PartnerPlan] | None = None) -> Rates | None:
    """List the rates that apply to a partner: their agreements for their own clients, and for each level below the plans that
    the partners there are on.

    agreements: theirs of today but those for one client, where they are known. Five statements, eleven where a version is
    asked for the first time; None where no plan pays anything.
    """
    if agreements is None:
        agreements = in_order(partner, client=None)
    held = next((row for row in agreements if Scope.of(row).is_usual), None)
    beside = [row for row in agreements if row is not held][:BESIDE_MAX]
    codes = link_codes(beside)
    own = held.plan_id if held else None
    versions = _in_force({row.plan_id for row in [*beside, *([held] if held else [])]})
    network = versions[own].network if own in versions else str(Network.INTRODUCER)
    wanted = {(1, own)} if own is not None else set()
    if network == Network.INTRODUCER:
        wanted |= set(kept("plans_below", partner.pk).answer)
    elif network == Network.OWN and own is not None:
        wanted |= {(level, own) for level in range(2, COLUMNS_MAX + 1)}
    versions |= _in_force({plan_id for _level, plan_id in wanted} - versions.keys())
    cards = _cards(versions)
    columns = [RateColumn(1, versions[row.plan_id], describe(row, codes)) for row in beside if row.plan_id in versions]
    columns += [
        RateColumn(level, versions[plan_id])
        for level, plan_id in sorted(
            wanted, key=lambda pair: (pair[0], versions[pair[1]].plan.name if pair[1] in versions else "")
        )
        if plan_id in versions and level in cards[plan_id].levels()
    ]
    columns = columns[:COLUMNS_MAX]
    groups = sorted({group for column in columns for group in cards[column.version.plan_id].groups()})
    rows = [
        (
            str(SymbolGroup(group).label),
            [cards[column.version.plan_id].of_level(group, column.level) for column in columns],
        )
        for group in groups
    ]
    components = [
        f"{column.version.plan.name}: {text}"
        for column in columns
        for text in [
            *cards[column.version.plan_id].sentences(column.version.currency, partner.brand.base_currency),
            *limit_sentences(column.version, cards[column.version.plan_id]),
        ]
    ]
    if not columns:
        return None
    if held is not None and held.percent != 100:
        components.insert(
            0, _("Personal ratio: %(percent)s %% of the plan's rates") % {"percent": formats.number(held.percent)}
        )
    components[:0] = [
        _("Personal ratio for %(scope)s: %(percent)s %% of the plan's rates")
        % {"scope": describe(row, codes), "percent": formats.number(row.percent)}
        for row in beside
        if row.percent != 100
    ]
    rank = rank_of(partner, held.plan) if held else None
    return Rates(columns, rows, network, list(dict.fromkeys(components)), rank[0] if rank else "")


@asked("plans_below")
def _plans_below(partner_id: int) -> tuple[list[tuple[int, int]], bool]:
    """List (level, plan) of the partners below one: kept for minutes where the network is large."""
    below = Upline.objects.filter(
        ancestor_id=partner_id,
        ends_at__isnull=True,
        level__gt=1,
        partner__plans__ends_at__isnull=True,
        partner__plans__link__isnull=True,
        partner__plans__client__isnull=True,
        partner__plans__isnull=False,
    )
    rows = list(
        below.values_list("level", "partner__plans__plan_id")
        .annotate(n=Count("pk"))
        .order_by("level", "partner__plans__plan__name", "partner__plans__plan_id")[:PLANS_MAX]
    )
    is_large = len(rows) == PLANS_MAX or sum(row[2] for row in rows) >= LARGE
    return [(level, plan_id) for level, plan_id, _count in rows], is_large


def _in_force(plan_ids: set[int]) -> dict[int, PlanVersion]:
    """Find the versions that pay today, by plan: one query."""
    if not plan_ids:
        return {}
    rows = PlanVersion.objects.filter(plan_id__in=plan_ids, state=VersionState.ACTIVE, ends_at__isnull=True)
    return {version.plan_id: version for version in rows.select_related("plan")}


def _cards(versions: dict[int, PlanVersion]) -> dict[int, RateCard]:
    """Read the cards of active versions, by plan. Such a version never changes, so its card is kept: six queries the first time."""
    keys = {f"ib:card:{version.pk}:{version.created_at.timestamp()}": version for version in versions.values()}
    kept = cache.get_many(keys)
    missing = {key: version for key, version in keys.items() if key not in kept}
    prefetch_related_objects(list(missing.values()), *CARD)
    read = {key: rate_card(version) for key, version in missing.items()}
    if read:
        cache.set_many(read, CARD_KEPT)
    return {keys[key].plan_id: card for key, card in {**kept, **read}.items()}
