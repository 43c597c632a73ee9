"""Whether the groups that account types name are there on their servers, in their currencies.

What the hourly reading of groups found is kept (`PlatformGroup`); on saving a type the server itself is asked where that
does not agree, so that a group made a minute ago is no error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from crm.models import User
from trading.cap_breaches import type_checks
from trading.cap_breaches.account_types import types_visible_to
from trading.models import AccountType, PlatformGroup, TradingServer
from trading.platforms.base import Purpose
from trading.platforms.pool import capabilities_of, platform_for

NAMED_MAX: Final = 5
SHOWN_MAX: Final = 100


@dataclass(frozen=True)
class GroupProblem:
    account_type: AccountType
    words: str


def known_groups(server: TradingServer) -> dict[str, str]:
    """Group → currency as last read (empty: every account has its own); an empty table while nothing was read."""
    rows = PlatformGroup.objects.filter(server=server, gone_at__isnull=True)
    return dict(rows.values_list("name", "currency"))


def problem_in(groups: dict[str, str], group: str, currency: str) -> str:
    """Describe what is wrong with a group and name groups that would do; empty when nothing is wrong or nothing is known."""
    if not groups or groups.get(group) in ("", currency):
        return ""
    if group in groups:
        return _("Group %(group)s is in %(there)s, not in %(currency)s.") % {
            "group": group,
            "there": groups[group],
            "currency": currency,
        }
    fitting = [name for name, there in sorted(groups.items()) if there in ("", currency)][:NAMED_MAX]
    problem = _("The server has no group %(group)s.") % {"group": group}
    return (
        f"{problem} {_('In %(currency)s there are: %(groups)s') % {'currency': currency, 'groups': ', '.join(fitting)}}"
        if (fitting)
        else problem
    )


def check(server: TradingServer, group: str, currency: str) -> str:
    """Check as `problem_in`, after asking the server itself where what was read last does not agree. Raises: PlatformError."""
    groups = known_groups(server)
    if groups.get(group) in ("", currency) or not capabilities_of(server.kind).lists_groups:
        return ""
    there = {row.name: row.currency for row in platform_for(server, Purpose.READS).groups()}
    return problem_in(there, group, currency)


def _doubtful(types: QuerySet[AccountType]) -> QuerySet[AccountType]:
    groups = PlatformGroup.objects.filter(server=OuterRef("server"), gone_at__isnull=True)
    fitting = groups.filter(Q(currency=OuterRef("currency")) | Q(currency=""), name=OuterRef("group"))
    return types.filter(Exists(groups), ~Exists(fitting), is_enabled=True)


def problems(user: User) -> list[GroupProblem]:
    """List offered types whose group was missing when the server's groups were read last. A query per server in doubt."""
    rows, by_server = [], {}
    for account_type in _doubtful(types_visible_to(user))[:SHOWN_MAX]:
        if account_type.server_id not in by_server:
            by_server[account_type.server_id] = known_groups(account_type.server)
        rows.append(
            GroupProblem(
                account_type, problem_in(by_server[account_type.server_id], account_type.group, account_type.currency)
            )
        )
    return rows


def margin_problems(user: User) -> list[GroupProblem]:
    """List offered types whose group gives more on a class than a regulator allows, whatever the leverage."""
    types = list(types_visible_to(user).filter(is_enabled=True, is_demo=False)[:SHOWN_MAX])
    return [GroupProblem(account_type, problem) for account_type, problem in type_checks.wrong_classes(types)]


def all_problems(user: User) -> list[GroupProblem]:
    """List what is wrong with the groups of account types and of margin settings, as far as the user may see them."""
    return [*problems(user), *margin_problems(user)]
