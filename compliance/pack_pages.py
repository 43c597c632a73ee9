"""The pages of a pack: drawn line by line, because a trail may have thousands of rows."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import reportlab
from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

if TYPE_CHECKING:
    from compliance.packs import Pack

WIDTH, HEIGHT = A4
LEFT, RIGHT, TOP, BOTTOM = 16 * mm, WIDTH - 16 * mm, HEIGHT - 18 * mm, 18 * mm
TEXT_LEFT = LEFT + 44 * mm
SIZE, LINE = 8, 10.2
DETAIL_LINES_MAX = 14
# The first that the system has; the last comes with reportlab and knows Latin letters only.
FONTS = (
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"),
    ("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf", "/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf"),
    (str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"), str(Path(reportlab.__file__).parent / "fonts" / "VeraBd.ttf")),
)  # fmt: skip


@cache
def fonts() -> tuple[str, str]:
    regular, bold = next(pair for pair in FONTS if Path(pair[0]).is_file() and Path(pair[1]).is_file())
    pdfmetrics.registerFont(TTFont("Pack", regular))
    pdfmetrics.registerFont(TTFont("PackBold", bold))
    return "Pack", "PackBold"


def draw(pack: Pack) -> bytes:
    out = io.BytesIO()
    sheet = _Sheet(Canvas(out, pagesize=A4, pageCompression=1), pack)
    sheet.head()
    for row in pack.rows:
        sheet.row(row)
    if not pack.rows:
        sheet.line(_("No row fits the filter."))
    sheet.how_to_verify()
    sheet.finish()
    return out.getvalue()


class _Sheet:
    """A cursor that goes down the page and turns it."""

    def __init__(self, canvas: Canvas, pack: Pack) -> None:
        self.canvas, self.pack, self.y, self.page = canvas, pack, TOP, 1
        self.regular, self.bold = fonts()
        canvas.setTitle(f"Audit trail {pack.client.pk} {pack.pack_id}")
        canvas.setAuthor(pack.client.brand.legal_name)

    def head(self) -> None:
        pack, client = self.pack, self.pack.client
        self._text(LEFT, _("Audit trail"), self.bold, 17)
        self.y -= 20
        self._text(LEFT, f"{client.full_name} · #{client.pk} · {client.brand.legal_name}", self.regular, 10)
        self.y -= 18
        facts = [
            (_("Pack"), pack.pack_id), (_("Made"), f"{pack.made_at}, {pack.made_by}"), (_("Rows"), str(len(pack.rows))),
            (_("Filter"), ", ".join(f"{k} {v}" for k, v in pack.chosen.as_parameters().items() if v) or _("none: the whole trail")),
            (_("Head seal"), f"{pack.head.get('id', '–')} · {pack.head.get('hash', '–')}"),
            (_("Signing key"), pack.key_fingerprint),
        ]  # fmt: skip
        for label, value in facts:
            self._text(LEFT, label, self.bold)
            self._text(TEXT_LEFT, value, self.regular)
            self.y -= LINE + 1.5
        if pack.unsealed:
            self._text(
                LEFT,
                _("%(count)d rows were not sealed yet when the pack was made.") % {"count": pack.unsealed},
                self.bold,
            )
            self.y -= LINE
        self.y -= 4
        self._rule()

    def row(self, row: dict[str, Any]) -> None:
        lines = self._detail_lines(row["details"])
        self._need(LINE * (2 + len(lines)) + 5)
        self._text(LEFT, row["at"], self.regular)
        self._text(TEXT_LEFT, f"{row['sentence']} · {row['target']}", self.bold)
        self.y -= LINE
        self._text(
            LEFT,
            f"#{row['id']} · "
            + (_("seal %(id)s") % {"id": row["sealed"]["seal"]} if row["sealed"] else _("not sealed")),
            self.regular,
            6.5,
        )
        self._text(TEXT_LEFT, " · ".join(filter(None, [row["actor"], row["ip"]])), self.regular)
        self.y -= LINE
        for text in lines:
            self._text(TEXT_LEFT, text, self.regular, 7.5)
            self.y -= LINE - 0.8
        self.y -= 2
        self._rule(0.3)

    def _detail_lines(self, details: list[list[str]]) -> list[str]:
        lines: list[str] = []
        for field, value in details:
            lines += simpleSplit(f"{field}: {value}", self.regular, 7.5, RIGHT - TEXT_LEFT)
        if len(lines) > DETAIL_LINES_MAX:
            return [*lines[: DETAIL_LINES_MAX - 1], _("… the whole content is in the attachment.")]
        return lines

    def how_to_verify(self) -> None:
        self._need(150)
        self.y -= 8
        self._text(LEFT, _("How to verify this pack"), self.bold, 11)
        self.y -= 15
        for text in (
            _(
                "1. Get verify_pack.py from the operator's source repository, not from the file you check. It needs Python 3.11 "
                "and the package cryptography."
            ),
            _("2. Run: python verify_pack.py FILE.pdf --key %(key)s") % {"key": self.pack.key_fingerprint},
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
        ):
            for line in simpleSplit(text, self.regular, SIZE, RIGHT - LEFT):
                self.line(line)
            self.y -= 3

    def line(self, text: str) -> None:
        self._need(LINE)
        self._text(LEFT, text, self.regular)
        self.y -= LINE

    def finish(self) -> None:
        self._foot()
        self.canvas.showPage()
        self.canvas.save()

    def _need(self, height: float) -> None:
        if self.y - height >= BOTTOM:
            return
        self._foot()
        self.canvas.showPage()
        self.page += 1
        self.y = TOP

    def _foot(self) -> None:
        self.canvas.setFont(self.regular, 6.5)
        self.canvas.setFillGray(0.35)
        self.canvas.drawString(LEFT, BOTTOM - 14, f"{self.pack.client.brand.legal_name} · {self.pack.pack_id}")
        self.canvas.drawRightString(
            RIGHT, BOTTOM - 14, _("Page %(page)d · key %(key)s") % {"page": self.page, "key": self.pack.key_fingerprint}
        )
        self.canvas.setFillGray(0)

    def _text(self, x: float, text: str, font: str, size: float = SIZE) -> None:
        self.canvas.setFont(font, size)
        self.canvas.drawString(x, self.y, text)

    def _rule(self, width: float = 0.6) -> None:
        self.canvas.setLineWidth(width)
        self.canvas.setStrokeGray(0.75)
        self.canvas.line(LEFT, self.y + 4, RIGHT, self.y + 4)
        self.y -= LINE - 2
