"""Faces of fonts for the trail writer: what glyph a character has, how wide it is, and the part of the file that was used."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import reportlab

_TRUETYPE = Path("/usr/share/fonts/truetype")
_VERA = Path(reportlab.__file__).parent / "fonts"
# The first pair that the system has; the last one comes with a package of ours and knows Latin letters only.
PAIRS = (
    (_TRUETYPE / "noto" / "NotoSans-Regular.ttf", _TRUETYPE / "noto" / "NotoSans-Bold.ttf"),
    (_TRUETYPE / "dejavu" / "DejaVuSans.ttf", _TRUETYPE / "dejavu" / "DejaVuSans-Bold.ttf"),
    (_VERA / "Vera.ttf", _VERA / "VeraBd.ttf"),
)
# For characters that the first has not. Letters stand side by side, unjoined: what must be set well is a letter (WeasyPrint).
OTHERS = tuple(
    path
    for path in (
        _TRUETYPE / "dejavu" / "DejaVuSans.ttf",
        *(
            _TRUETYPE / "noto" / f"NotoSans{script}-Regular.ttf"
            for script in ("Arabic", "Hebrew", "Thai", "Devanagari", "Bengali", "Georgian", "Armenian", "Symbols2")
        ),
    )
    if path.is_file()
)


class Face:
    """One font file, opened once per process."""

    def __init__(self, path: Path) -> None:
        from fontTools.ttLib import TTFont  # here and below: a process that writes no PDFs starts without it

        self.path = path
        font = TTFont(path, lazy=True)
        head, hhea, os2 = font["head"], font["hhea"], font["OS/2"]
        scale = 1000 / head.unitsPerEm
        self.name = str(font["name"].getDebugName(6) or path.stem)
        self.ascent, self.descent = round(hhea.ascent * scale), round(hhea.descent * scale)
        self.cap_height = round(getattr(os2, "sCapHeight", 0) * scale) or round(self.ascent * 0.7)
        self.box = [round(value * scale) for value in (head.xMin, head.yMin, head.xMax, head.yMax)]
        order = {name: number for number, name in enumerate(font.getGlyphOrder())}
        widths = font["hmtx"].metrics
        # character → (glyph, width in thousandths)
        self.glyphs: dict[int, tuple[int, int]] = {
            code: (order[name], round(widths[name][0] * scale)) for code, name in font.getBestCmap().items()
        }
        self.missing = (0, round(widths[font.getGlyphOrder()[0]][0] * scale))
        font.close()

    def subset(self, glyphs: set[int]) -> bytes:
        """Reduce the font to these glyphs, under their old numbers."""
        from fontTools import subset
        from fontTools.ttLib import TTFont

        options = subset.Options()
        options.retain_gids, options.notdef_outline, options.hinting = True, True, False
        options.layout_features, options.name_IDs, options.glyph_names = [], [], False
        options.drop_tables += ["GSUB", "GPOS", "GDEF", "kern", "DSIG", "STAT", "MATH", "meta", "FFTM"]
        with TTFont(self.path, lazy=True) as font:
            names = font.getGlyphOrder()
            cutter = subset.Subsetter(options)
            cutter.populate(glyphs=[names[0], *(names[number] for number in sorted(glyphs) if number < len(names))])
            cutter.subset(font)
            out = io.BytesIO()
            font.save(out)
        return out.getvalue()


@cache
def face(path: Path) -> Face:
    """Load a font file, once per process."""
    return Face(path)


@cache
def _pair() -> tuple[Path, Path]:
    return next(pair for pair in PAIRS if pair[0].is_file() and pair[1].is_file())


def regular() -> Face:
    """Return the regular face of documents."""
    return face(_pair()[0])


def bold() -> Face:
    """Return the bold face of documents."""
    return face(_pair()[1])


@cache
def other_with(code: int) -> Face | None:
    """Find a face that has a character which the main one lacks."""
    return next((other for path in OTHERS if code in (other := face(path)).glyphs), None)
