"""Which leverage a client may have: what the regulators of their residence and of the brand's licence allow that day.

A platform keeps one leverage per account and makes less of it by margin rates of its group's symbols. So an account's cap is
the highest of the classes' caps, and each class is held by what the group gives on it (`trading.leverage.margins`): a leverage
that would give more than a class allows is offered to nobody whom the line concerns. Where a platform does not list margin
rates the account's cap alone counts, and pages show that. What no leverage heals (a class that may not be offered, a fixed
margin) is a question of the group: it is shown with the account type and in health (`type_checks`).
Of two authorities the stricter counts. Demo accounts have no cap. Professionals and counterparties only where a line names them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.choices import Category
from clients.countries import country
from clients.models import Client
from crm.db.locking import lock_all, lock_or_none
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, lowered, phrase
from crm.models import Actor
from crm.security import audit
from crm.security.policies import require_permission
from kyc.questionnaires.gates import LeverageLimit, leverage_limit
from trading.audit_codes import TradingAction
from trading.choices import InstrumentClass
from trading.leverage.margins import GroupLeverage, of_groups
from trading.models import AccountType, LeverageCap, TradingAccount

CHANGES: Final = "trading.change_leveragecap"


@dataclass(frozen=True)
class Cap:
    """The highest leverage of an account, and the line that sets it."""

    leverage: int
    line: LeverageCap
    place: str
    is_by_licence: bool

    @property
    def reason(self) -> str:
        return str(self.words)

    @property
    def words(self) -> LocalizedText:
        """`ESMA: 1:30 for retail clients in Germany since Aug 1, 2018`."""
        values = {
            "authority": self.line.authority,
            "leverage": self.leverage,
            "place": country(self.place),
            "category": Category(self.line.category).label,
            "day": self.line.valid_from,
        }
        if not self.leverage:
            return phrase("%(authority)s: no leveraged products for clients in %(place)s since %(day)s") % values
        if self.line.category != Category.RETAIL:
            return (
                phrase("%(authority)s: 1:%(leverage)s for clients in the category “%(category)s” since %(day)s")
                % values
            )
        if self.is_by_licence:
            return (
                phrase(
                    "%(authority)s: 1:%(leverage)s for retail clients of a broker licensed in %(place)s since %(day)s"
                )
                % values
            )
        return phrase("%(authority)s: 1:%(leverage)s for retail clients in %(place)s since %(day)s") % values


def lines_on(
    day: dt.date, *, category: str = "", countries: Iterable[str] | None = None, limit: int = 200
) -> list[LeverageCap]:
    """List the lines in force on a day, for clients of a category in any of these countries where they are given. One query."""
    rows = LeverageCap.objects.filter(Q(valid_until__isnull=True) | Q(valid_until__gte=day), valid_from__lte=day)
    rows = rows.filter(category=category) if category else rows
    rows = rows if countries is None else rows.filter(countries__overlap=list(countries))
    return list(rows.order_by("authority", "-leverage", "-valid_from")[:limit])


@dataclass(frozen=True)
class Limits:
    """What holds for a client: the account's cap, and that of each class."""

    cap: Cap | None
    by_class: dict[str, Cap]
    by_answers: LeverageLimit | None = None


def cap_for(client: Client, *, on: dt.date | None = None) -> Cap | None:
    """Find the stricter cap of residence and licence; None where nobody sets one. One query (and the brand)."""
    return limits_for(client, on=on).cap


def limits_for(client: Client, *, on: dt.date | None = None, lines: Sequence[LeverageCap] | None = None) -> Limits:
    """Find the account's cap, those of the classes, and the limit of the client's answers to questionnaires.

    One query (and the brand); none where `lines` are all in force. Two more at a brand that asks questionnaires.
    """
    licence = client.brand.licence_country
    places = [place for place in dict.fromkeys((client.country, licence)) if place]
    if lines is None:
        lines = lines_on(on or timezone.now().date(), category=client.category, countries=places)
    else:
        lines = [
            cap_line
            for cap_line in lines
            if cap_line.category == client.category and set(places) & set(cap_line.countries)
        ]
    strictest: dict[tuple[str, str], LeverageCap] = {}
    for line in lines:
        place = next(place for place in places if place in line.countries)
        best = strictest.get((line.authority, place))
        if best is None or line.leverage > best.leverage:
            strictest[line.authority, place] = line
    caps = [
        Cap(line.leverage, line, place, is_by_licence=place != client.country)
        for (_authority, place), line in strictest.items()
    ]
    by_class: dict[str, Cap] = {}
    for line in lines:
        place = next(place for place in places if place in line.countries)
        cap_line = Cap(line.leverage, line, place, is_by_licence=place != client.country)
        known = by_class.get(line.instrument_class)
        if known is None or _strictness(cap_line) < _strictness(known):
            by_class[line.instrument_class] = cap_line
    return Limits(min(caps, key=_strictness, default=None), by_class, leverage_limit(client) if client.pk else None)


def _strictness(cap: Cap) -> tuple[int, bool]:
    return cap.leverage, cap.is_by_licence


@dataclass(frozen=True)
class Ladder:
    """What may be chosen of a type's leverages, and why not the rest."""

    steps: list[int]
    default: int | None
    beyond: list[int]
    cap: Cap | None
    on_class: LocalizedText = ""  # why not the rest, where a class of instruments is what prevents it
    by_answers: LeverageLimit | None = None  # where the client's answers allow less than everything else

    @property
    def reason(self) -> str:
        return str(self.words)

    @property
    def words(self) -> LocalizedText:
        if not self.beyond:
            return ""
        if self.by_answers is not None:
            return phrase("1:%(leverage)s given the answers to “%(title)s”") % {
                "title": self.by_answers.title,
                "leverage": self.by_answers.leverage,
            }
        return self.on_class or (self.cap.words if self.cap else "")


Margins = Mapping[tuple[int, str], Mapping[str, GroupLeverage]]


def ladder_for(
    client: Client, account_type: AccountType, *, limits: Limits | None = None, margins: Margins | None = None
) -> Ladder:
    """List the type's leverages within the caps, with the highest of them up to the type's own as the default.

    `limits`: `limits_for` the client, `margins`: of the type's group, where they are at hand; else a query for each.
    """
    limits = limits_for(client) if limits is None else limits
    place = (account_type.server_id, account_type.group)
    if account_type.is_demo:
        limits, margins = Limits(None, {}), {}
    elif margins is None:
        margins = of_groups([place]) if limits.by_class else {}
    group_margins = margins.get(place, {})
    cap = limits.cap
    answers = limits.by_answers
    within = [n for n in account_type.ladder if cap is None or n <= cap.leverage]
    held = {
        sort: class_cap for sort, class_cap in limits.by_class.items() if class_cap.leverage and sort in group_margins
    }
    steps = [
        n for n in within if all(group_margins[sort].fits(n, class_cap.leverage) for sort, class_cap in held.items())
    ]
    is_by_answers = answers is not None and any(n > answers.leverage for n in steps)
    if answers is not None and is_by_answers:
        steps = [n for n in steps if n <= answers.leverage]
    usual = [n for n in steps if n <= account_type.default_leverage]
    default = max(usual, default=min(steps, default=None))
    beyond = [n for n in account_type.ladder if n not in steps]
    against = None if is_by_answers else next((n for n in within if n not in steps), None)
    rule = "" if against is None else _on_class(against, held, group_margins)
    return Ladder(steps, default, beyond, cap, rule, answers if is_by_answers else None)


def _on_class(leverage: int, held: Mapping[str, Cap], margins: Mapping[str, GroupLeverage]) -> LocalizedText:
    """Describe the class that prevents a leverage, with what its group would give."""
    sort, cap = min(
        ((sort, cap) for sort, cap in held.items() if not margins[sort].fits(leverage, cap.leverage)),
        key=lambda entry: (entry[1].leverage, entry[0]),
    )
    most, symbol = margins[sort].at(leverage)
    return phrase("%(rule)s on %(class)s; leverage of 1:%(leverage)s would allow 1:%(most)s on %(symbol)s") % {
        "rule": cap.words,
        "class": lowered(InstrumentClass(sort).label),
        "leverage": leverage,
        "most": f"{most:.0f}" if most.is_finite() else "∞",
        "symbol": symbol,
    }


def ladder_of(account: TradingAccount) -> Ladder | None:
    """List the leverages an account may be set to; None for an account without a type (it keeps what it has)."""
    if account.account_type is None:
        return None
    return ladder_for(account.client, account.account_type)


def check_leverage(client: Client, account_type: AccountType, leverage: int | None) -> int:
    """Choose the leverage to open or set: the requested one, or the type's own within the cap.

    Raises: DomainError with the rule where it is above a cap, or where the type does not have it.
    """
    ladder = ladder_for(client, account_type)
    if leverage is None:
        if ladder.default is None:
            raise DomainError(ladder.reason)
        return ladder.default
    if leverage in ladder.steps:
        return leverage
    if leverage in ladder.beyond:
        raise DomainError(ladder.reason)
    raise DomainError(_("This account type doesn't offer leverage of 1:%(leverage)s.") % {"leverage": leverage})


# ── keeping the lines ────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def add_line(*, actor: Actor, **fields: Any) -> LeverageCap:
    """Add a line of a rule; the line before it ends the day before the new one's first day. Old lines stay.

    Who: `trading.change_leveragecap`. Raises: NotAllowed, DomainError for a line that begins on the day of another, or
    that would end the line before it in countries that it doesn't name: clients there would lose their cap unnoticed.
    """
    require_permission(actor, CHANGES)
    line = LeverageCap(**fields, is_confirmed=True)
    rule = LeverageCap.objects.filter(
        authority=line.authority, category=line.category, instrument_class=line.instrument_class
    )
    same = sorted(lock_all(rule), key=lambda other: other.valid_from)
    if any(other.valid_from == line.valid_from for other in same):
        raise DomainError(_("A cap for this rule already starts on the same day."))
    if line.valid_until and line.valid_until < line.valid_from:
        raise DomainError(_("The last day is before the first day."))
    following = next((other for other in same if other.valid_from > line.valid_from), None)
    if following and (line.valid_until is None or line.valid_until >= following.valid_from):
        raise DomainError(
            _("Another cap starts on %(day)s. Enter a last day before it.") % {"day": formats.day(following.valid_from)}
        )
    before = next((other for other in reversed(same) if other.valid_from < line.valid_from), None)
    ended = None
    if before and (before.valid_until is None or before.valid_until >= line.valid_from):
        left_out = sorted(set(before.countries) - set(line.countries))
        if left_out:
            raise DomainError(
                _("The previous cap also applies in %(countries)s. Add these countries, or end that cap first.")
                % {"countries": ", ".join(left_out)}
            )
        before.valid_until = ended = line.valid_from - dt.timedelta(days=1)
        before.save(update_fields=["valid_until"])
    line.save()
    audit.record(
        actor=actor,
        action=TradingAction.LEVERAGE_CAP_ADDED,
        target=line,
        after={name: str(value) for name, value in fields.items()} | ({"ended_before_it": str(ended)} if ended else {}),
    )
    return line


@transaction.atomic
def end_line(*, line_id: int, last_day: dt.date, actor: Actor) -> LeverageCap:
    """Set the last day of a line. Who: `trading.change_leveragecap`. Raises: NotAllowed, DomainError, WrongState for an
    ended line."""
    require_permission(actor, CHANGES)
    line = lock_or_none(LeverageCap, line_id)
    if line is None:
        raise DomainError(_("This cap doesn't exist."))
    today = timezone.now().date()
    if line.valid_until and line.valid_until < today:
        raise WrongState(_("This cap has already ended."))
    if last_day < max(line.valid_from, today - dt.timedelta(days=1)):
        raise DomainError(_("Past days can't be changed. Enter yesterday or a later day."))
    before, line.valid_until = line.valid_until, last_day
    line.save(update_fields=["valid_until"])
    audit.record(
        actor=actor,
        action=TradingAction.LEVERAGE_CAP_ENDED,
        target=line,
        before={"valid_until": str(before)},
        after={"valid_until": str(last_day)},
    )
    return line
