"""Which column is which field: guessed from the names, chosen by a person, or read from JSON; remembered by name and header."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.imports.fields import ORDERS, Field, Formats, plain_name
from crm.models import ImportMapping

KEYS = {"kind", "system", "fields", "dates", "decimal", "encoding", "delimiter", "brand", "name"}
TRANSLATIONS_MAX = 500


@dataclass(frozen=True)
class Source:
    """Where a field's text comes from: a column, else the same text for every row. `values` translates what the file says."""

    column: str = ""
    fixed: str = ""
    values: AnyMapping[str, str] = field(default_factory=dict)

    def text_in(self, row: AnyMapping[str, str]) -> str:
        text = row.get(self.column, "") if self.column else ""
        text = self.values.get(text, text)
        return text or self.fixed

    def as_json(self) -> dict[str, Any]:
        parts = {"column": self.column, "fixed": self.fixed, "values": dict(self.values)}
        return {name: value for name, value in parts.items() if value}


@dataclass(frozen=True)
class Mapping:
    """How one file is read into one kind of record."""

    fields: AnyMapping[str, Source]
    dates: str = "ymd"
    decimal: str = "."
    encoding: str = ""
    delimiter: str = ""

    @property
    def formats(self) -> Formats:
        return Formats(self.dates, self.decimal)

    def as_json(self) -> dict[str, Any]:
        parts = {"dates": self.dates, "decimal": self.decimal, "encoding": self.encoding, "delimiter": self.delimiter}
        return {
            "fields": {name: source.as_json() for name, source in self.fields.items()},
            **{name: value for name, value in parts.items() if value},
        }


def read_mapping(definition: Any, fields: Sequence[Field], header: Sequence[str]) -> Mapping:
    """Read a mapping from its JSON form and hold it against the file's columns. Raises DomainError that names what is wrong."""
    if not isinstance(definition, dict) or not isinstance(definition.get("fields"), dict):
        raise DomainError(_("The mapping must be a JSON object with “fields”."))
    unknown = set(definition) - KEYS
    if unknown:
        raise DomainError(_("The mapping has unknown keys: %(names)s") % {"names": ", ".join(sorted(unknown))[:200]})
    known = {entry.name: entry for entry in fields}
    sources = {}
    for name, source in definition["fields"].items():
        if name not in known:
            raise DomainError(
                _("The mapping names the unknown field “%(field)s”. Fields: %(known)s")
                % {"field": str(name)[:40], "known": ", ".join(known)}
            )
        sources[name] = _source(name, source, header)
    mapping = Mapping(
        fields=sources,
        dates=str(definition.get("dates", "ymd")),
        decimal=str(definition.get("decimal", ".")),
        encoding=str(definition.get("encoding", "")),
        delimiter=str(definition.get("delimiter", "")),
    )
    if mapping.dates not in ORDERS:
        raise DomainError(_("“dates” must be one of: %(known)s") % {"known": ", ".join(ORDERS)})
    if mapping.decimal not in (".", ","):
        raise DomainError(_("“decimal” must be a point or a comma."))
    missing = [str(entry.label) for entry in fields if entry.is_required and entry.name not in sources]
    if missing:
        raise DomainError(_("Map these fields, too: %(names)s") % {"names": ", ".join(missing)})
    return mapping


def _source(name: str, source: Any, header: Sequence[str]) -> Source:
    if isinstance(source, str):
        source = {"column": source}
    if not isinstance(source, dict) or set(source) - {"column", "fixed", "values"}:
        raise DomainError(_("“%(field)s” needs a “column”, a “fixed” value or both.") % {"field": name})
    column, fixed, values = source.get("column", ""), source.get("fixed", ""), source.get("values", {})
    if column and column not in header:
        raise DomainError(
            _("The file has no column “%(column)s”. Its columns: %(names)s")
            % {"column": str(column)[:80], "names": ", ".join(header)[:600]}
        )
    if not column and not fixed:
        raise DomainError(_("“%(field)s” needs a “column”, a “fixed” value or both.") % {"field": name})
    if not isinstance(values, dict) or len(values) > TRANSLATIONS_MAX:
        raise DomainError(_("“values” of “%(field)s” must map texts to texts.") % {"field": name})
    return Source(str(column), str(fixed), {str(text): str(value) for text, value in values.items()})


def guess(fields: Sequence[Field], header: Sequence[str]) -> Mapping:
    """Guess which column is which field from its name; each column at most once, the first of several that fit."""
    sources: dict[str, Source] = {}
    free = {plain_name(name): name for name in reversed(header)}
    for entry in fields:
        for name in (plain_name(entry.name), *entry.names.split()):
            if name in free:
                sources[entry.name] = Source(free.pop(name))
                break
    return Mapping(sources)


def header_mark(header: Sequence[str]) -> str:
    """Return the mark by which a file with the same columns is recognised, whatever their order and case."""
    return hashlib.sha256("\n".join(sorted(plain_name(name) for name in header)).encode()).hexdigest()


def remembered(brand_id: int, kind: str, header: Sequence[str]) -> ImportMapping | None:
    """Find the mapping that was last saved for files with these columns."""
    rows = ImportMapping.objects.filter(brand_id=brand_id, kind=kind).filter(Q(header_mark=header_mark(header)))
    return rows.order_by("-saved_at", "-pk").first()
