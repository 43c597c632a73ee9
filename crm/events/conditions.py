"""Conditions on an event's data: the fields that events declare, and what PostgreSQL evaluates when events are published.

A subscription's condition is stored as data and as an SQL/JSON path over the payload, so that the statement that publishes a
million events decides for each subscription by itself; `tests/properties/test_event_conditions.py` holds that the path and
`condition.holds(payload, now)` agree.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, Final, get_type_hints

from django.utils.translation import gettext_lazy as _

from crm.conditions import Condition, Field, FieldType, Vocabulary
from crm.conditions.expression import Compare, Group, Node, Not
from crm.conditions.fields import Label
from crm.events.bus import Event

APPS: Final[dict[str, Label]] = {
    "crm": _("Staff and sign-in"),
    "lead": _("Leads"),
    "client": _("Clients"),
    "kyc": _("KYC"),
    "compliance": _("Compliance"),
    "ib": _("Partners"),
    "monitoring": _("Agent monitoring"),
    "trading": _("Trading"),
    "wallet": _("Money"),
    "prop": _("Prop challenges"),
}
# Labels of the data's fields, by name: one name means one thing in every event.
FIELDS: Final[dict[str, Label]] = {
    "kind": _("Kind"),
    "method": _("Sign-in method"),
    "source": _("Source"),
    "campaign": _("Campaign"),
    "duplicate": _("Repeat enquiry"),
    "new": _("New"),
    "known": _("Existing"),
    "rule": _("Routing rule"),
    "before": _("Before"),
    "after": _("After"),
    "referral_code": _("Referral code"),
    "sub_id": _("Sub-id"),
    "click_id": _("Click ID"),
    "is_clicked": _("Link clicked"),
    "signal": _("Signal"),
    "fields": _("Changed fields"),
    "outcome": _("Outcome"),
    "issues": _("Issues"),
    "decision": _("Decision"),
    "reason": _("Reason"),
    "level": _("Level"),
    "level_before": _("Level before"),
    "entries": _("Entries"),
    "added": _("Added"),
    "changed": _("Changed"),
    "removed": _("Removed"),
    "hits": _("Possible matches"),
    "amount": _("Amount"),
    "cause": _("Cause"),
    "companies": _("Companies"),
    "countries": _("Countries"),
    "rating": _("Risk rating"),
    "days": _("Days"),
    "restrictions": _("Restrictions"),
    "currency": _("Currency"),
    "effective_on": _("Effective from"),
    "stage": _("Stage"),
    "state": _("State"),
    "platform": _("Platform"),
    "login": _("Login"),
    "because": _("Cause"),
    "confirmed": _("Confirmed"),
    "severity": _("Severity"),
    "limit": _("Limit"),
    "psp": _("PSP"),
    "is_first": _("First-time deposit"),
    "reasons": _("Reasons"),
    "needs_review": _("Needs review"),
    "direction": _("Direction"),
    "matched": _("Matched"),
    "breaks": _("Breaks"),
    "closing": _("Closing number"),
    "day": _("Day"),
    "missing": _("Shortfall"),
    "reference": _("Reference"),
    "is_enhanced": _("Enhanced due diligence"),
    "basis": _("Basis"),
    "category": _("Category"),
    "channel": _("Channel"),
    "clock": _("Clock"),
    "is_automatic": _("Automatic reply"),
    "is_from_client": _("From the client"),
    "is_proved": _("Sender proved"),
    "is_role_change": _("Role changed"),
    "is_about_leaving": _("Leaving the company"),
    "book": _("Execution book"),
    "passed_percent": _("Passed on to the A-book, in percent"),
    "stars": _("Rating from 1 to 5"),
}
TYPES: Final[dict[Any, FieldType]] = {
    str: FieldType.TEXT,
    int: FieldType.NUMBER,
    Decimal: FieldType.DECIMAL,
    bool: FieldType.YES_NO,
    tuple[str, ...]: FieldType.SET,
}
NUMBERS: Final = (FieldType.NUMBER, FieldType.DECIMAL)


# Resolving the hints of ninety events takes milliseconds, and a list of subscriptions asks for each of its rows.
_conditional: Final[dict[type[Event], Mapping[str, FieldType]]] = {}


def conditional_fields(event_type: type[Event]) -> Mapping[str, FieldType]:
    """List what conditions may ask of an event: texts, numbers, yes or no and lists of texts; neither ids nor times."""
    if event_type not in _conditional:
        hints = get_type_hints(event_type)
        _conditional[event_type] = {
            name: TYPES[hints[name]]
            for name in event_type.data_fields()
            if hints[name] in TYPES and not name.endswith(("_id", "_ids"))
        }
    return _conditional[event_type]


def vocabulary_of(event_types: list[type[Event]]) -> Vocabulary:
    """Make the vocabulary of these events' data. A field that one event counts and another measures is a decimal number."""
    found: dict[str, FieldType] = {}
    for event_type in event_types:
        for name, type_ in conditional_fields(event_type).items():
            before = found.get(name, type_)
            if before is not type_ and {before, type_} != set(NUMBERS):
                raise TypeError(f"{event_type.name}: {name} is a {type_.value}, elsewhere a {before.value}")
            found[name] = type_ if before is type_ else FieldType.DECIMAL
    labelled = sorted(found, key=lambda name: str(FIELDS.get(name, name)))
    return Vocabulary(
        "event",
        [Field(name, FIELDS.get(name, name), found[name], read=partial(_read, name, found[name])) for name in labelled],
    )


def _read(name: str, type_: FieldType, data: dict[str, Any]) -> Any:
    value = data.get(name)
    if type_ not in NUMBERS or value is None:
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


# ── SQL/JSON path ────────────────────────────────────────────────────────────────────────────────────────────────────


def path_of(condition: Condition) -> str | None:
    """Write a condition as a predicate of PostgreSQL's jsonpath over the payload; None for the one that always holds."""
    text = _node(condition.root)
    return None if text == ALWAYS else text


ALWAYS, NEVER = "(1 == 1)", "(1 == 0)"


def _node(node: Node) -> str:
    if isinstance(node, Not):
        return f"(!{_node(node.part)})"
    if isinstance(node, Group):
        if not node.parts:
            return ALWAYS if node.is_all else NEVER
        return f"({(' && ' if node.is_all else ' || ').join(_node(part) for part in node.parts)})"
    if not isinstance(node, Compare):  # the vocabulary has no happenings
        raise TypeError(f"no path for {type(node).__name__}")
    return _compare(node)


def _compare(node: Compare) -> str:
    """Ask one field. `exists` is never unknown, so that a missing value is no value under `!` as well."""
    at = f"$.{_quoted(node.field.name)}[*]"
    code, value = node.operator.code, node.value
    if code == "empty":
        blank = "" if node.field.type in (*NUMBERS, FieldType.YES_NO) else ' && @ != ""'
        return f"(!exists({at} ? (@ != null{blank})))"
    return f"(exists({at} ? ({PREDICATES[code](value)})))"


def _quoted(text: str) -> str:
    return json.dumps(text)


def _one_of(values: tuple[str, ...]) -> str:
    return " || ".join(f"@ == {_quoted(value)}" for value in values)


def _number(sign: str) -> Callable[[Decimal], str]:
    return lambda value: f"@.double() {sign} {value:f}"


PREDICATES: Final[dict[str, Callable[[Any], str]]] = {
    "is": lambda value: f"@ == {_quoted(value)}",
    "in": _one_of,
    "has": _one_of,
    "starts": lambda value: f"@ starts with {_quoted(value)}",
    "contains": lambda value: f'@ like_regex {_quoted(value)} flag "q"',
    "eq": _number("=="),
    "ge": _number(">="),
    "le": _number("<="),
    "gt": _number(">"),
    "lt": _number("<"),
    "yes": lambda value: "@ == true",
}
