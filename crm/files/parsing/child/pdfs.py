"""PDFs: rebuilt without anything that acts, and drawn.

What a stream unpacks to is counted before anything is written: a few kilobytes of Flate in Flate are gigabytes of zeros.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from . import fonts, traces
from .refusal import Refusal

Result = tuple[dict[str, Any], bytes]
OBJECTS_MAX = 100_000
PIECE_BYTES = 1024 * 1024
FLATE = {"/FlateDecode", "/Fl"}
EXPANDING = FLATE | {"/LZWDecode", "/LZW", "/RunLengthDecode", "/RL"}
PICTURES = {"/DCTDecode", "/DCT", "/CCITTFaxDecode", "/CCF", "/JBIG2Decode", "/JPXDecode"}
AS_TEXT = {"/ASCIIHexDecode", "/AHx", "/ASCII85Decode", "/A85"}
FILTERS_MAX = 3
ACTIVE_ANNOTATIONS = {
    "/FileAttachment",
    "/RichMedia",
    "/Movie",
    "/Sound",
    "/Screen",
    "/3D",
    "/Widget",
    "/Link",
    "/Popup",
}
LONG_SIDE_PX, SCALE_MAX, PROOF_SIDE_PX = 1800, 4.0, 300
QUALITY, DRAWN_DPI = 85, 150
CHARACTERS_MAX = 20_000


def clean(file: BinaryIO, *, pages_max: int, stream_max: int, file_max: int, pixels_max: int) -> Result:
    """Rebuild a PDF from its pages alone: no scripts, actions, forms, attachments, media or links. Each can be drawn.

    Refusals: `pages` (pages), `no_pages`, `locked`, `unpacks` (of a stream, or all), `pixels`, `damaged`.
    """
    import pikepdf

    try:
        with pikepdf.open(file, suppress_warnings=True) as pdf:
            if len(pdf.objects) > OBJECTS_MAX:
                raise Refusal("unpacks")
            _refuse_many_pages(_declared_pages(pdf), pages_max)
            _measure(pdf, stream_max, file_max, pixels_max)
            pages = len(pdf.pages)
            _refuse_many_pages(pages, pages_max)
            if not pages:
                raise Refusal("no_pages")
            left = traces.of_pdf(pdf, _raw_of(file))
            content = _rebuilt(pdf)
    except pikepdf.PasswordError:
        raise Refusal("locked") from None
    except (pikepdf.PdfError, ValueError, RuntimeError):
        raise Refusal("damaged") from None
    mixed = _draw_small(content)
    return {"pages": pages, "traces": left | ({"mixed_words": mixed} if mixed else {})}, content


def _raw_of(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _refuse_many_pages(pages: int, pages_max: int) -> None:
    if pages > pages_max:
        raise Refusal("pages", pages=pages)


def _declared_pages(pdf: Any) -> int:
    """Read the number of pages that the file claims, before a million of them are walked through."""
    try:
        return int(pdf.Root.Pages.Count)
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0


def _measure(pdf: Any, stream_max: int, file_max: int, pixels_max: int) -> None:
    """Refuse what unpacks to too much: counted, not kept."""
    import pikepdf

    total = 0
    for item in pdf.objects:
        if not isinstance(item, pikepdf.Stream):
            continue
        width, height = item.get("/Width"), item.get("/Height")
        if isinstance(width, int) and isinstance(height, int) and width * height > pixels_max:
            raise Refusal("pixels")
        total += _unpacked_bytes(item, min(stream_max, file_max - total))


def _unpacked_bytes(stream: Any, most: int) -> int:
    import pikepdf

    filters = _filters(stream)
    known = EXPANDING | PICTURES | AS_TEXT
    if len(filters) > FILTERS_MAX or sum(name in EXPANDING for name in filters) > 1 or not known.issuperset(filters):
        raise Refusal("unpacks")
    raw = stream.read_raw_bytes()
    size = len(raw)
    if filters and filters[0] in FLATE:
        size = sum(len(piece) for piece in _inflated(raw, most))
    elif any(name in EXPANDING for name in filters):
        try:  # rare and old: unpacked by qpdf, within this process's memory
            size = len(stream.read_bytes())
        except pikepdf.PdfError:
            size = len(raw)
    if size > most:
        raise Refusal("unpacks")
    return size


def _filters(stream: Any) -> list[str]:
    import pikepdf

    named = stream.get("/Filter")
    if named is None:
        return []
    return [str(name) for name in named] if isinstance(named, pikepdf.Array) else [str(named)]


def _inflated(raw: bytes, most: int) -> Iterator[bytes]:
    """Yield pieces of what a Flate stream holds, until just beyond `most`; a broken one ends where it breaks."""
    unpack, rest, total = zlib.decompressobj(), raw, 0
    try:
        while rest and not unpack.eof and total <= most:
            piece = unpack.decompress(rest, PIECE_BYTES)
            total, rest = total + len(piece), unpack.unconsumed_tail
            yield piece
    except zlib.error:
        return


def _rebuilt(pdf: Any) -> bytes:
    import pikepdf

    made = pikepdf.new()
    for page in pdf.pages:
        for active in ("/AA", "/PieceInfo", "/B"):
            if active in page.obj:
                del page.obj[active]
        _drop_active_annotations(page)
        made.pages.append(page)
    out = io.BytesIO()
    made.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return out.getvalue()


def _drop_active_annotations(page: Any) -> None:
    import pikepdf

    annotations = page.obj.get("/Annots")
    if annotations is None:
        return
    passive = pikepdf.Array()
    for annotation in annotations:
        if not isinstance(annotation, pikepdf.Dictionary):
            continue
        subtype = str(annotation.get("/Subtype", ""))
        if subtype in ACTIVE_ANNOTATIONS or "/A" in annotation or "/AA" in annotation:
            continue
        passive.append(annotation)
    if len(passive):
        page.obj["/Annots"] = passive
    else:
        del page.obj["/Annots"]


# ── drawing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _draw_small(content: bytes) -> int:
    """Draw every page once: what can't be drawn now can't be reviewed later. Returns how many words are in two fonts."""
    import pypdfium2 as pdfium

    document, mixed, left = _document(content), 0, CHARACTERS_MAX
    try:
        for number in range(len(document)):
            page = document[number]
            words, characters = fonts.mixed_words(page, characters_max=left)
            mixed, left = mixed + words, left - characters
            longest = max(page.get_width(), page.get_height(), 1.0)
            page.render(scale=min(1.0, PROOF_SIDE_PX / longest)).close()
            page.close()
    except pdfium.PdfiumError:
        raise Refusal("damaged") from None
    finally:
        document.close()
    return mixed


def page(file: BinaryIO, *, number: int, lines: list[str]) -> Result:
    """Draw one page, from 1, as a JPEG with a watermark. Refusal: `no_page`."""
    from .watermark import marked

    document = _document(file.read())
    if not 1 <= number <= len(document):
        raise Refusal("no_page")
    out = io.BytesIO()
    marked(_drawn(document[number - 1]), lines).save(out, "JPEG", quality=QUALITY)
    return {}, out.getvalue()


def watermarked(file: BinaryIO, *, lines: list[str]) -> Result:
    """Draw all pages with a watermark into a new PDF of pictures: nothing lies beneath that could be taken off again."""
    from .watermark import marked

    document = _document(file.read())
    if not len(document):
        raise Refusal("no_pages")
    pictures = (marked(_drawn(document[number]), lines) for number in range(len(document)))
    out = io.BytesIO()
    next(pictures).save(out, "PDF", save_all=True, append_images=pictures, quality=QUALITY, resolution=DRAWN_DPI)
    return {}, out.getvalue()


def sheet(file: BinaryIO, *, pages_max: int) -> Result:
    """Draw the first pages as rows of RGB bytes; the text layer's words come with boxes in the pictures' pixels."""
    document = _document(file.read())
    sizes, words, content = [], [], []
    for number in range(min(len(document), pages_max)):
        picture = _drawn(document[number]).convert("RGB")
        sizes.append(picture.size)
        content.append(picture.tobytes())
        words.append(_words(document[number]))
    return {"pages": sizes, "words": words}, b"".join(content)


def _document(content: bytes) -> Any:
    import pypdfium2 as pdfium

    try:
        return pdfium.PdfDocument(content)
    except pdfium.PdfiumError:
        raise Refusal("damaged") from None


def _scale(page: Any) -> float:
    longest = max(page.get_width(), page.get_height(), 1.0)
    scale: float = min(SCALE_MAX, LONG_SIDE_PX / longest)
    return scale


def _drawn(page: Any) -> Any:
    return page.render(scale=_scale(page)).to_pil()


def _words(page: Any) -> list[tuple[str, tuple[int, int, int, int]]]:
    """Put characters with their boxes together to words, at spaces and line ends."""
    import pypdfium2 as pdfium

    text = page.get_textpage()
    scale, height = _scale(page), page.get_height()
    words: list[tuple[str, tuple[int, int, int, int]]] = []
    letters: list[str] = []
    edges: list[tuple[float, float, float, float]] = []

    def close() -> None:
        if letters:
            left, bottom = min(edge[0] for edge in edges), min(edge[1] for edge in edges)
            right, top = max(edge[2] for edge in edges), max(edge[3] for edge in edges)
            box = (
                round(left * scale),
                round((height - top) * scale),
                max(1, round((right - left) * scale)),
                max(1, round((top - bottom) * scale)),
            )
            words.append(("".join(letters), box))
            letters.clear()
            edges.clear()

    for index in range(min(text.count_chars(), CHARACTERS_MAX)):
        character = chr(pdfium.raw.FPDFText_GetUnicode(text, index))
        if character.isspace() or not character.isprintable():
            close()
            continue
        edge = text.get_charbox(index)
        # A hyphen's lower edge is high above a digit's: the word's tallest character says how far its line reaches.
        if edges and abs(edge[1] - edges[-1][1]) > max(2.0, *(other[3] - other[1] for other in edges)):
            close()  # another line without a line end between
        letters.append(character)
        edges.append(edge)
    close()
    return words


OPERATIONS = {"clean": clean, "page": page, "sheet": sheet, "watermarked": watermarked}
