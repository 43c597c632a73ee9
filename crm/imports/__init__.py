"""Importing another system's records: one kit, in which each app registers what it imports.

    # clients/import_kinds/__init__.py
    @import_kind
    class ClientKind(RecordKind):
        code, label = "clients", gettext_lazy("Clients")
        fields = (Field("email", gettext_lazy("E-mail"), read=read_email, names="email mail"), …)

A file is read (`reading`), its columns are mapped to a kind's fields (`mapping`), its rows are staged with a verdict each
(`checking`), compared with the records that are here (`comparing`), and applied in batches of one transaction each
(`applying`). What was imported has an `ExternalReference` per system and number, so that the same record never comes in twice.
See docs/import.md.
"""

from crm.imports.fields import Field
from crm.imports.kinds import (
    KINDS,
    OPEN_ROWS,
    Difference,
    KindExtension,
    RecordKind,
    Span,
    Staged,
    extend_kind,
    import_kind,
    kind_named,
)
from crm.imports.mapping import Mapping

__all__ = [
    "KINDS",
    "OPEN_ROWS",
    "Difference",
    "Field",
    "KindExtension",
    "Mapping",
    "RecordKind",
    "Span",
    "Staged",
    "extend_kind",
    "import_kind",
    "kind_named",
]
