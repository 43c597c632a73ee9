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
        _("Rows"),
        columns=[Column(_("When")), Column(_("Row")), Column(_("What"), weight=4), Column(_("Who"), weight=1.5)],
        rows=lambda: _rows(pack),
        empty=_("No row fits the filter."),
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
        sections=[rows, Section(_("How to verify this pack"), _how_to_verify(pack))],
    )


def _facts(pack: Pack) -> list[tuple[str, str]]:
    chosen = ", ".join(f"{key} {value}" for key, value in pack.chosen.as_parameters().items() if value)
    facts = [
        (_("Pack"), pack.pack_id),
        (_("Made"), f"{pack.made_at}, {pack.made_by}"),
        (_("Rows"), str(len(pack.rows))),
        (_("Filter"), chosen or _("none: the whole trail")),
        (_("Head seal"), f"{pack.head.get('id', '–')} · {pack.head.get('hash', '–')}"),
        (_("Signing key"), pack.key_fingerprint),
    ]
    if pack.unsealed:
        text = _("%(count)d rows were not sealed yet when the pack was made.") % {"count": pack.unsealed}
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
        yield _("… the whole content is in the attachment.")


def _how_to_verify(pack: Pack) -> str:
    return "\n".join(
        (
            _(
                "1. Get verify_pack.py from the operator's source repository, not from the file you check. It needs Python 3.11 "
                "and the package cryptography."
            ),
            _("2. Run: python verify_pack.py FILE.pdf --key %(key)s") % {"key": pack.key_fingerprint},
            _(
                "3. It checks the signature over every byte of this file; that each row's text hashes to a leaf of its Merkle "
                "tree; that each tree has the root that its seal signs; and it names what does not hold. It exits with 0 only "
                "when all holds."
            ),
            _(
                "4. Compare the fingerprint of the signing key with the one you got from the operator by another way, and the head "
                "seal with one that you noted before."
            ),
            _("The attachment trail.json holds every row in full with its proof."),
        )
    )
