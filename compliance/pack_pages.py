"""The pages of a pack: a long tagged trail for people, because a client's life may have thousands of rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.rendering.pdf_stream import write_pdf
from crm.rendering.report import Column, Look, Report, Row, Section

if TYPE_CHECKING:
    from compliance.pack_data import Pack

DETAILS_MAX, DETAIL_LENGTH_MAX = 14, 500


def draw(pack: Pack) -> bytes:
    """Draw the pack as PDF, before the proof is attached and the whole is signed."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "pack.pdf"
        write_pdf(_report(pack), target, expected_rows=len(pack.rows))
        return target.read_bytes()


def _report(pack: Pack) -> Report:
    client, brand = pack.client, pack.client.brand
    rows = Section(
        _("Entries"),
        columns=[Column(_("Time")), Column(_("Entry")), Column(_("Action"), weight=4), Column(_("User"), weight=1.5)],
        rows=lambda: _rows(pack),
        empty=_("No entries match the filter."),
    )
    return Report(
        key=f"audit-trail:{pack.pack_id}",
        title=_("Audit trail"),
        made_at=timezone.now(),
        look=Look(
            brand.name, brand.legal_name, f"{pack.pack_id} · {pack.key_fingerprint}", brand.colour, brand.accent_colour
        ),
        subtitle=f"{client.full_name} · #{client.pk} · {brand.legal_name}",
        facts=_facts(pack),
        sections=[rows, Section(_("How to verify this file"), _how_to_verify(pack))],
    )


def _facts(pack: Pack) -> list[tuple[str, str]]:
    chosen = ", ".join(f"{key} {value}" for key, value in pack.chosen.as_parameters().items() if value)
    facts = [
        (_("File ID"), pack.pack_id),
        (_("Created"), f"{pack.made_at}, {pack.made_by}"),
        (_("Entries"), str(len(pack.rows))),
        (_("Filter"), chosen or _("None (all entries)")),
        (_("Latest seal"), f"{pack.head.get('id', '–')} · {pack.head.get('hash', '–')}"),
        (_("Signing key"), pack.key_fingerprint),
    ]
    if pack.unsealed:
        text = _("Entries not yet sealed when the file was created: %(count)d") % {"count": pack.unsealed}
        facts.append((_("Not sealed"), text))
    return facts


def _rows(pack: Pack) -> Iterator[Row]:
    for row in pack.rows:
        sealed = _("seal %(id)s") % {"id": row["sealed"]["seal"]} if row["sealed"] else _("not sealed")
        who = "\n".join(filter(None, [row["actor"], row["ip"]]))
        yield [row["at"], f"#{row['id']}\n{sealed}", "\n".join(_what(row)), who]


def _what(row: dict[str, Any]) -> Iterator[str]:
    yield f"{row['sentence']} · {row['target']}"
    for field, value in row["details"][:DETAILS_MAX]:
        text = f"{field}: {value}"
        yield text if len(text) <= DETAIL_LENGTH_MAX else f"{text[:DETAIL_LENGTH_MAX]} …"
    if len(row["details"]) > DETAILS_MAX or any(
        len(str(value)) > DETAIL_LENGTH_MAX for _field, value in row["details"]
    ):
        yield _("… see the attachment for the full content.")


def _how_to_verify(pack: Pack) -> str:
    return "\n".join(
        (
            _(
                "1. Get verify_pack.py from the operator's source repository, not from the person who "
                "gave you this file. It needs Python 3.11 and the cryptography package."
            ),
            _("2. Run: python verify_pack.py FILE.pdf --key %(key)s") % {"key": pack.key_fingerprint},
            _(
                "3. The script checks the signature over every byte of this file, that each entry hashes "
                "to a leaf of its Merkle tree, and that each tree has the root its seal signs. It lists "
                "every failed check and exits with 0 only if all checks pass."
            ),
            _(
                "4. Compare the fingerprint of the signing key with the one you received from the "
                "operator through a separate channel, and the latest seal with one you recorded earlier."
            ),
            _("The attachment trail.json contains every entry in full with its proof."),
        )
    )
