"""Putting accounts right that get more on a class of instruments than they may.

Margins are the group's or the symbol's, set on the platform by the broker's administrator: no account has its own. What can be
done from here is less leverage, where the class's margin follows it, or another group: that of another type of the same brand,
server, currency and kind, offered to the client, whose margins keep every class within its cap as far as they are told. The
page counts what each would do; a person chooses, and a job does it account by account. An account with open positions is left
to people: another margin could close them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.errors import WrongState
from crm.i18n.localized_text import localize
from crm.models import User
from crm.security.policies import require_permission
from crm.security.scope import reach_of
from trading.accounts.requests import order
from trading.cap_breaches import breaches, class_sql
from trading.choices import Ability, AccountState, InstrumentClass
from trading.leverage import caps
from trading.leverage.margins import GroupLeverage, of_groups
from trading.models import AccountRequest, AccountType, PlatformGroup, Position, TradingAccount
from trading.platforms import capabilities

SORTS_MAX: Final = 300
LINES_MAX: Final = 2000
HELD_MAX: Final = 2000


@dataclass(frozen=True)
class Remedy:
    """What would put an account right: a leverage, and a type to move to where its own group won't do."""

    leverage: int
    account_type: AccountType | None
    loses: tuple[str, ...]  # classes that are not traded in the other group

    @property
    def words(self) -> str:
        """`Leverage 1:20`, or `Move to Standard EU EUR (real\\eu-EUR) with 1:30; without Crypto`."""
        if self.account_type is None:
            return _("Leverage 1:%(leverage)s") % {"leverage": self.leverage}
        words = _("Move to %(type)s (%(group)s) with 1:%(leverage)s") % {
            "type": self.account_type,
            "group": self.account_type.group,
            "leverage": self.leverage,
        }
        if not self.loses:
            return words
        names = ", ".join(str(InstrumentClass(sort).label) for sort in self.loses)
        return _("%(what)s; not traded there: %(classes)s") % {"what": words, "classes": names}

    def key(self, account: TradingAccount) -> str:
        """Name the change: from what, to what. An account with other figures than were chosen for isn't changed."""
        there = self.account_type.pk if self.account_type else 0
        return f"{account.account_type_id or 0}.{account.leverage}-{there}.{self.leverage}"


@dataclass(frozen=True)
class House:
    """What remedies are looked for in: the lines of a day, the types offered, and what their groups give. Three queries."""

    lines: Sequence[Any]
    types: Sequence[AccountType]
    margins: Mapping[tuple[int, str], Mapping[str, GroupLeverage]]
    hedging: Mapping[tuple[int, str], bool]

    @classmethod
    def on(cls, day: dt.date, places: Collection[tuple[int, str]]) -> House:
        """Read what remedies need on a day. `places`: servers and groups of the accounts that it is about."""
        servers = {server for server, _group in places}
        types = list(
            AccountType.objects.filter(server__in=servers, is_enabled=True, is_demo=False).select_related(
                "server", "brand"
            )[:SORTS_MAX]
        )
        everywhere = {*places, *((account_type.server_id, account_type.group) for account_type in types)}
        groups = PlatformGroup.objects.filter(server__in=servers, gone_at__isnull=True)
        hedging = {
            (server, name): is_hedging
            for server, name, is_hedging in groups.values_list("server", "name", "is_hedging")
        }
        return cls(caps.lines_on(day, limit=LINES_MAX), types, of_groups(everywhere), hedging)


def remedies(account: TradingAccount, house: House) -> list[Remedy]:
    """List what would put an account right, highest leverage first; where it stays before where it moves. No query."""
    client, place = account.client, (account.server_id, account.group)
    limits = caps.limits_for(client, lines=house.lines)
    here = house.margins.get(place, {})
    options = []
    own = account.account_type
    if own is not None and own.group == account.group and capabilities.can(account.server, Ability.CHANGE_LEVERAGE):
        options += _steps(account, own, limits, house)
    stays = max((option.leverage for option in options), default=0)  # what is had without a move needs none
    if own is not None and capabilities.can(account.server, Ability.CHANGE_GROUP):
        for account_type in house.types:
            if (
                _is_like(account_type, own, client)
                and account_type.group != account.group
                and house.hedging.get((account_type.server_id, account_type.group)) == house.hedging.get(place)
            ):
                options += [
                    move for move in _steps(account, account_type, limits, house, here) if move.leverage > stays
                ]
    return sorted(options, key=lambda option: (-option.leverage, option.account_type is not None, len(option.loses)))


def _is_like(other: AccountType, own: AccountType, client: Client) -> bool:
    """Tell whether an account of a type may become one of another without other conditions than margins."""
    same = all(
        getattr(other, name) == getattr(own, name) for name in ("brand_id", "server_id", "currency", "kind", "is_demo")
    )
    level = max(own.kyc_level, client.kyc_level)
    return same and other.pk != own.pk and other.is_offered_in(client.country) and other.kyc_level <= level


def _steps(
    account: TradingAccount,
    account_type: AccountType,
    limits: caps.Limits,
    house: House,
    here: Mapping[str, GroupLeverage] | None = None,
) -> list[Remedy]:
    """Find the highest leverage in a type's group, not above the account's, that keeps all classes within their caps; at most one.

    `here`: what the group gives that the account would leave. Nobody is moved to a group whose margins are unknown or incomplete.
    """
    margins = house.margins.get((account_type.server_id, account_type.group), {})
    held = {sort: margins[sort] for sort, cap in limits.by_class.items() if sort in margins}
    if not margins or any(margin.is_beyond(limits.by_class[sort].leverage) for sort, margin in held.items()):
        return []
    if here is not None and any(margin.unclear for margin in held.values()):
        return []
    steps = caps.ladder_for(account.client, account_type, limits=limits, margins=house.margins).steps
    fitting = max((n for n in steps if n <= account.leverage), default=None)
    if fitting is None:
        return []
    loses = tuple(sort for sort in InstrumentClass.values if here and sort in here and sort not in margins)
    return [Remedy(fitting, None if here is None else account_type, loses)]


# ── the preview ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Sort:
    """Accounts that are alike to a person: their type, group and leverage, and what would put them right, as (key, words)."""

    account: TradingAccount
    options: list[tuple[str, str]]
    accounts: list[int] = field(default_factory=list)
    held: int = 0

    @property
    def count(self) -> int:
        return len(self.accounts)


@dataclass(frozen=True)
class Preview:
    """`is_whole`: all sorts of accounts are in it."""

    sorts: list[Sort]
    is_whole: bool

    @property
    def may_do(self) -> bool:
        return any(sort.options for sort in self.sorts)


def preview(user: User, *, on: dt.date | None = None) -> Preview:
    """List what could be put right from here, by sorts of accounts, largest first. Seven queries, however many accounts."""
    require_permission(user, "trading.view_leveragecap")
    day = on or timezone.now().date()
    rows = class_sql.rows(class_sql.SORTS, books=reach_of(user).books, on=day, limit=SORTS_MAX + 1)
    if not rows:
        return Preview([], is_whole=True)
    house = House.on(day, {(row[0], row[2]) for row in rows})
    types = AccountType.objects.select_related("brand", "server").in_bulk({row[1] for row in rows if row[1]})
    sorts: dict[tuple[Any, ...], Sort] = {}
    for server_id, type_id, group, leverage, category, country, brand_id, ids in rows[:SORTS_MAX]:
        kind = types.get(type_id)
        if kind is None or kind.brand_id != brand_id:
            continue
        client = Client(category=category, country=country, brand=kind.brand)
        account = TradingAccount(
            client=client, server=kind.server, account_type=kind, group=group, leverage=leverage, currency=kind.currency
        )
        options = [(remedy.key(account), remedy.words) for remedy in remedies(account, house)]
        key = (server_id, type_id, group, leverage, *options)
        sorts.setdefault(key, Sort(account, options)).accounts.extend(ids)
    _note_positions(sorts.values())
    return Preview(sorted(sorts.values(), key=lambda sort: -sort.count), len(rows) <= SORTS_MAX)


def _note_positions(sorts: Collection[Sort]) -> None:
    """Count how many of each sort hold positions, of its first HELD_MAX accounts."""
    ids = [pk for sort in sorts for pk in sort.accounts[:HELD_MAX]]
    holding = (
        set(Position.objects.filter(account__in=ids).values_list("account_id", flat=True).distinct()) if ids else set()
    )
    for sort in sorts:
        sort.held = len(holding & set(sort.accounts[:HELD_MAX]))


# ── doing ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def put_right(*, account_id: int, chosen: Collection[str], actor: User) -> AccountRequest:
    """Do to an account what was chosen for accounts like it, if that still puts it right.

    Who: `trading.change_leveragecap`, for clients in reach. Raises: NotAllowed, WrongState (within its caps by now, other
    figures than were chosen for, open positions), DomainError, OutsideWorldError.
    """
    require_permission(actor, caps.CHANGES)
    above = breaches.classes_of([account_id], user=actor)
    if not above:
        raise WrongState(_("This account is within its caps."))
    account = TradingAccount.objects.select_related("client__brand", "server", "account_type").get(
        pk=account_id, client__book_id__in=reach_of(actor).books, state=AccountState.OPEN
    )
    house = House.on(timezone.now().date(), {(account.server_id, account.group)})
    remedy = next((option for option in remedies(account, house) if option.key(account) in chosen), None)
    if remedy is None:
        raise WrongState(_("The selected remedy no longer brings this account within its caps."))
    if account.positions.exists():
        raise WrongState(_("There are open positions, and their margin requirement would change."))
    return order(
        account_id=account_id,
        actor=actor,
        leverage=remedy.leverage,
        account_type=remedy.account_type,
        note=localize(above[0].cap.words, account.client.language),
    )


def ids_of(user: User, chosen: Collection[str]) -> list[int]:
    """List accounts of the sorts that something was chosen for."""
    return sorted(
        pk for sort in preview(user).sorts if any(key in chosen for key, _words in sort.options) for pk in sort.accounts
    )
