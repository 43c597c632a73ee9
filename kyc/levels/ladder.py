"""A brand's levels: what each requires and what it allows. Without a table of its own a brand has the default ones.

    allowance_of(client).withdraws

Changing them: `kyc.levels.changes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from clients import proofs
from clients.choices import ClientKind
from clients.models import Client
from crm.conditions.fields import Label
from crm.i18n.languages import base_of
from crm.models import Brand
from kyc.brand_policies import DEPOSIT_UNVERIFIED_MAX, WITHDRAWAL_KYC_LEVEL
from kyc.models.level_tables import LevelTable

LEVEL_MAX: Final = 5
GROUPS_MAX: Final = 6
Group = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """One level. requires: every group, in each any one of its proofs. Amounts: minor units of the brand's base currency.

    Without an amount there is no limit. methods: kinds of payment methods; empty: all.
    """

    number: int
    names: Mapping[str, str] = field(default_factory=dict)
    requires: tuple[Group, ...] = ()
    company_requires: tuple[Group, ...] = ()
    deposits_max_minor: int | None = None
    trades: bool = True
    withdraws: bool = True
    withdrawals_max_minor: int | None = None
    withdrawals_30_days_max_minor: int | None = None
    methods: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """In the reader's language, else in English, else by its number."""
        language = base_of(get_language() or "en")
        return self.names.get(language) or self.names.get("en") or default_name(self.number)

    def groups_for(self, *, is_company: bool) -> tuple[Group, ...]:
        return self.company_requires if is_company else self.requires

    def as_json(self) -> dict[str, Any]:
        return {name: _plain(getattr(self, name)) for name in self.__slots__}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value


def level_from_json(value: Mapping[str, Any]) -> Level:
    """Read a level as a table keeps it."""
    lists: dict[str, Any] = {name: tuple(map(tuple, value.get(name, ()))) for name in ("requires", "company_requires")}
    rest = {name: value[name] for name in Level.__slots__ if name in value and name not in (*lists, "methods")}
    return Level(**rest, **lists, methods=tuple(value.get("methods", ())))


# Kinds of payment methods that a level may be limited to; the wallet, which knows them, offers them.
METHOD_KINDS: Final[dict[str, Label]] = {}
NAMES: Final = {0: _("Not verified"), 1: _("Identity verified"), 2: _("Identity and address verified")}


def default_name(number: int) -> str:
    """Name a level that has no name of its own."""
    return str(NAMES[number]) if number in NAMES else gettext("Level %(number)s") % {"number": number}


DEFAULT: Final = (
    Level(0),
    Level(
        1,
        requires=(("passport", "id_card", "residence_permit", "driving_licence"),),
        company_requires=(("register_extract",), ("company_people",)),
    ),
    Level(2, requires=(("proof_of_address",),), company_requires=(("proof_of_address",),)),
)


def ladder_of(brand: Brand) -> tuple[Level, ...]:
    """Return the brand's levels of today from 0 on. No query where this process knows the table: a table never changes."""
    return _read(brand.kyc_level_table) if brand.kyc_level_table else _default_for(brand)


def is_required(brand: Brand, proof: str) -> bool:
    """Tell whether any of the brand's levels asks for a proof: only then its coming and going changes levels."""
    groups = (group for level in ladder_of(brand) for group in (*level.requires, *level.company_requires))
    return any(proof in group for group in groups)


def planned_ladder(brand: Brand) -> tuple[Level, ...]:
    """Return the levels of the brand's last table, in force or planned: what a further change starts from."""
    newest = newest_table(brand)
    return _read(newest.pk) if newest else ladder_of(brand)


def newest_table(brand: Brand) -> LevelTable | None:
    """Return the brand's last table, in force or planned."""
    return LevelTable.objects.filter(brand=brand).order_by("-pk").first()


def _default_for(brand: Brand) -> tuple[Level, ...]:
    """Make the default levels, with the limits that the brand's policies set."""
    from_level = WITHDRAWAL_KYC_LEVEL.of(brand)
    limits = {0: DEPOSIT_UNVERIFIED_MAX.of(brand)}
    return tuple(
        replace(level, withdraws=level.number >= from_level, deposits_max_minor=limits.get(level.number))
        for level in DEFAULT
    )


@lru_cache(maxsize=256)
def _read(table_id: int) -> tuple[Level, ...]:
    return parsed(LevelTable.objects.values_list("levels", flat=True).get(pk=table_id))


def parsed(levels: Iterable[Mapping[str, Any]]) -> tuple[Level, ...]:
    """Read the levels of a table or a proposal, by number."""
    return tuple(sorted(map(level_from_json, levels), key=lambda level: level.number))


def allowance_of(client: Client) -> Level:
    """Return what the client's level allows today: the one place that every gate asks. The client's brand is loaded."""
    ladder = ladder_of(client.brand)
    return ladder[min(client.kyc_level, len(ladder) - 1)]


def is_company(client: Client) -> bool:
    """Tell whether the client is a legal entity, which proves other things."""
    return client.kind == ClientKind.COMPANY


def group_label(group: Group) -> str:
    """Write a group: any one of its proofs."""
    names = [proofs.label_of(code) for code in group]
    return (
        names[0]
        if len(names) == 1
        else gettext("%(list)s or %(last)s") % {"list": ", ".join(names[:-1]), "last": names[-1]}
    )
