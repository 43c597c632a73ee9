"""Which column of a file of leads is which field: the fields, what people call them, and a guess by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from crm.conditions.fields import ADDED
from crm.imports import Field, Mapping
from crm.imports.fields import read_text
from crm.imports.mapping import Source
from leads.import_files.reading import LONGEST, CustomColumns, column_of
from leads.import_kinds import LeadKind

# As the importer of other systems names them, in the order of the page.
FIELDS = "first_name last_name full_name email phone country language source campaign message experience".split()
FIELDS += ["intended_deposit", "intended_currency", "consent"]
KNOWN = {field.name: field for field in LeadKind.fields}


def fields_of(custom: CustomColumns) -> Sequence[Field]:
    """List what the columns of a brand's file can be."""
    return [*map(_field, FIELDS), *(Field(f"{ADDED}{pk}", row.label) for pk, row in custom.fields.items())]


def _field(name: str) -> Field:
    field = KNOWN["marketing_consent" if name == "consent" else name]
    is_place = name in ("country", "language")  # whose values the page offers to translate
    longest = LONGEST.get(name, field.longest)
    return replace(
        field, name=name, longest=longest, choices=(), is_number=False, read=field.read if is_place else read_text
    )


@dataclass(frozen=True)
class Guess:
    """A mapping by the columns' names. is_sure: it names an e-mail address or a phone, and no two columns mean the same."""

    mapping: Mapping
    is_sure: bool


def guess(header: Sequence[str], custom: CustomColumns) -> Guess:
    """Guess which column is which field by its name; the first of several that mean the same."""
    sources: dict[str, Source] = {}
    is_clear = True
    for heading in header:
        column = column_of(heading.removesuffix(" (2)"), custom)
        if column in sources:
            is_clear = False
        elif column:
            sources[column] = Source(heading)
    return Guess(Mapping(sources), is_clear and bool({"email", "phone"} & sources.keys()))
