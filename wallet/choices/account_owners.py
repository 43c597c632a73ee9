"""Names of account owners that live in other apps. Their apps say how an owner's number becomes a name:

    owners.register("partner", lambda ids: dict(Partner.objects.filter(pk__in=ids).values_list("pk", "name")))

An account's subject is `kind:number`, e.g. `partner:17`. Lists warm their accounts up front: one query per kind of owner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from crm.money.numbers import is_whole

if TYPE_CHECKING:
    from wallet.models import Account

NamesOf = Callable[[set[int]], Mapping[int, str]]
REGISTRY: dict[str, NamesOf] = {}


def register(kind: str, names_of: NamesOf) -> None:
    """Register how owners of a kind are named. `names_of` maps ids to names; an id without one keeps its number."""
    REGISTRY[kind] = names_of


def names(subjects: Iterable[str]) -> dict[str, str]:
    """Map subjects to names, where their kind is registered and their owner exists: one query per kind."""
    by_kind: dict[str, set[int]] = defaultdict(set)
    for subject in subjects:
        kind, _colon, number = subject.partition(":")
        if kind in REGISTRY and is_whole(number):
            by_kind[kind].add(int(number))
    return {f"{kind}:{number}": name for kind, ids in by_kind.items() for number, name in REGISTRY[kind](ids).items()}


def warm(accounts: Collection[Account]) -> None:
    """Load the owners' names of these accounts at once."""
    owners = names({account.subject for account in accounts if account.subject})
    for account in accounts:
        if account.subject:
            account.owner_name = owners.get(account.subject, "")
