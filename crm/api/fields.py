"""The fields that resources are declared with. Each names the columns it reads and how they become JSON.

Money is a decimal text with its currency, times are UTC, contact details are masked unless the principal reads them in full.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from crm.i18n.formats import mask_email, mask_phone
from crm.models import User
from crm.money.amounts import exponent

Read = Callable[..., Any]
MONEY_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "amount": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "examples": ["1250.00"]},
        "currency": {"type": "string", "maxLength": 8, "examples": ["EUR"]},
    },
    "required": ["amount", "currency"],
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a resource: `paths` are read, `read` makes the value of them (None: the one path as it is).

    contact: masked by `mask` for principals who don't see contact details in full. kind: how a filter reads its value.
    expression: makes of the reader and the one path what is read instead of it, in the list's own statement.
    """

    name: str
    paths: tuple[str, ...]
    schema: dict[str, Any]
    kind: str
    read: Read | None = None
    mask: Read | None = None
    expression: Callable[[User, str], Any] | None = None

    def columns(self, user: User) -> tuple[Any, ...]:
        """Return what is read for this user: paths, or an expression."""
        return (self.expression(user, self.paths[0]),) if self.expression else self.paths

    def under(self, prefix: str) -> Field:
        """Return the same field of a record that is reached through a relation."""
        return replace(self, paths=tuple(f"{prefix}__{path}" for path in self.paths))


def integer(name: str, path: str = "", *, note: str = "") -> Field:
    """Declare a whole number, or an id."""
    return Field(name, (path or name,), _schema("integer", note, example=17), "integer")


def text(name: str, path: str = "", *, note: str = "", example: str = "", choices: Sequence[Any] = ()) -> Field:
    """Declare a text; `choices`: the codes that it can be."""
    schema = _schema("string", note or (f"One of: {', '.join(map(str, choices))}" if choices else ""), example=example)
    return Field(name, (path or name,), schema, "text")


def boolean(name: str, path: str = "", *, note: str = "") -> Field:
    """Declare true or false."""
    return Field(name, (path or name,), _schema("boolean", note, example=True), "boolean")


def time(name: str, path: str = "", *, note: str = "") -> Field:
    """Declare a moment in UTC: 2026-11-26T09:30:00Z."""
    schema = {**_schema("string", note, example="2026-11-26T09:30:00Z"), "format": "date-time"}
    return Field(name, (path or name,), schema, "time")


def day(name: str, path: str = "", *, note: str = "") -> Field:
    """Declare a date."""
    schema = {**_schema("string", note, example="2026-11-26"), "format": "date"}
    return Field(name, (path or name,), schema, "day")


def texts(name: str, path: str = "", *, note: str = "") -> Field:
    """Declare a list of texts."""
    return Field(name, (path or name,), {"type": "array", "items": {"type": "string"}, "description": note}, "texts")


def decimal(name: str, path: str = "", *, note: str = "") -> Field:
    """Declare a number that isn't money, as decimal text."""
    return Field(name, (path or name,), _schema("string", note, example="0.10"), "decimal", _decimal)


def money(name: str, path: str = "", *, currency: str, note: str = "") -> Field:
    """Declare an amount in major units with its currency (a path)."""
    return Field(name, (path or name, currency), _money_schema(note), "money", _money)


def minor_money(name: str, path: str, *, currency: str, note: str = "") -> Field:
    """Declare an amount kept in minor units."""
    return Field(name, (path, currency), _money_schema(note), "money", _minor_money)


def email(name: str = "email", path: str = "") -> Field:
    """Declare an e-mail address, masked without the right to see it."""
    schema = _schema("string", "Masked without the scope contacts:read", example="a•••@example.com")
    return Field(name, (path or name,), schema, "text", mask=mask_email)


def phone(name: str = "phone", path: str = "") -> Field:
    """Declare a phone number, masked without the right to see it."""
    schema = _schema("string", "Masked without the scope contacts:read", example="+49 ••• 678")
    return Field(name, (path or name,), schema, "text", mask=mask_phone)


def computed(name: str, paths: Sequence[str], read: Read, *, schema: dict[str, Any]) -> Field:
    """Declare a field made of several columns, without a query of its own."""
    return Field(name, tuple(paths), schema, "computed", read)


def looked_up(
    name: str, path: str, expression: Callable[[User, str], Any], read: Read, *, schema: dict[str, Any]
) -> Field:
    """Declare a field of other tables: an expression over a path, such as the client's id, for whoever reads it."""
    return Field(name, (path,), schema, "computed", read, expression=expression)


def _schema(kind: str, note: str, *, example: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": [kind, "null"]}
    if note:
        schema["description"] = note
    if example != "":
        schema["examples"] = [example]
    return schema


def _money_schema(note: str) -> dict[str, Any]:
    return {
        "anyOf": [{"$ref": "#/components/schemas/Money"}, {"type": "null"}],
        **({"description": note} if note else {}),
    }


def _decimal(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _money(value: Decimal | None, currency: str | None) -> dict[str, str] | None:
    if value is None or not currency:
        return None
    places = exponent(currency)
    shown = value.quantize(Decimal(1).scaleb(-places)) if value == value.quantize(Decimal(1).scaleb(-places)) else value
    return {"amount": f"{shown:f}", "currency": currency}


def _minor_money(value: int | None, currency: str | None) -> dict[str, str] | None:
    if value is None or not currency:
        return None
    return {"amount": f"{Decimal(value).scaleb(-exponent(currency)):f}", "currency": currency}
