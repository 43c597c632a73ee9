"""What a file's maker left in it: read before the clean copy drops it. No personal data: names of programs, and counts."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

# Programs to change pictures or PDFs with. Cameras, scanners, office suites and e-mail programs are not among them.
EDITORS = {
    "Photoshop": rb"photoshop",
    "GIMP": rb"\bgimp\b",
    "Affinity": rb"affinity (?:photo|designer|publisher)",
    "Pixelmator": rb"pixelmator",
    "Paint.NET": rb"paint\.net",
    "PaintShop": rb"paint ?shop",
    "Corel": rb"coreldraw|corel photo",
    "Canva": rb"\bcanva\b",
    "Snapseed": rb"snapseed",
    "PicsArt": rb"picsart",
    "Facetune": rb"facetune",
    "Photopea": rb"photopea",
    "Inkscape": rb"inkscape",
    "Illustrator": rb"adobe illustrator",
    "Krita": rb"\bkrita\b",
    "Figma": rb"\bfigma\b",
    "PhotoScape": rb"photoscape",
    "Fotor": rb"\bfotor\b",
    "Sejda": rb"\bsejda\b",
    "PDFescape": rb"pdfescape",
    "DocHub": rb"dochub",
    "pdfFiller": rb"pdffiller",
    "PDF-XChange Editor": rb"pdf-xchange editor",
    "Foxit Editor": rb"foxit (?:phantom|pdf editor)",
    "Nitro": rb"nitro (?:pro|pdf)",
    "PDFelement": rb"pdfelement",
    "Smallpdf": rb"smallpdf",
    "PDF Studio": rb"pdf ?studio",
}
PATTERNS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in EDITORS.items()}
# EXIF: ProcessingSoftware, Software, UserComment; of PNG and WebP the texts.
SOFTWARE, PROCESSING, USER_COMMENT, EXIF_IFD = 0x0131, 0x000B, 0x9286, 0x8769
METADATA_BYTES_MAX = 256 * 1024
CHANGED_LATER = dt.timedelta(hours=24)
PDF_DATE = re.compile(r"D:(\d{4})(\d{2})(\d{2})(\d{2})?(\d{2})?")


def of_picture(image: Any) -> dict[str, Any]:
    """Name the editor that saved a picture, and whether it says of itself that it is a screenshot."""
    texts: list[bytes] = []
    try:
        exif = image.getexif()
        texts += [_bytes(exif.get(tag)) for tag in (SOFTWARE, PROCESSING)]
        texts.append(_bytes(exif.get_ifd(EXIF_IFD).get(USER_COMMENT)))
    except Exception:  # the file's own, unchecked: broken, it gives no hint, and the picture is judged all the same  # noqa: S110
        pass
    known = {key: value for key, value in image.info.items() if key not in ("icc_profile", "exif")}
    texts += [_bytes(value) for value in known.values()]
    joined = b"\n".join(text[:METADATA_BYTES_MAX] for text in texts)
    traces: dict[str, Any] = {}
    if editor := _editor(joined):
        traces["editor"] = editor
    if b"screenshot" in joined.lower().replace(b"\0", b""):
        traces["screenshot"] = True
    return traces


def of_pdf(pdf: Any, raw: bytes) -> dict[str, Any]:
    """Name the editor of a PDF, count its later changes, and compare its days of making and change."""
    info = {str(key): str(value)[:200] for key, value in pdf.docinfo.items()} if pdf.trailer.get("/Info") else {}
    traces: dict[str, Any] = {}
    if editor := _editor(" ".join((info.get("/Producer", ""), info.get("/Creator", ""))).encode()):
        traces["editor"] = editor
    # A linearised file has two tables of objects from the start; each later change appends one more.
    updates = raw.count(b"startxref") - 1 - (b"/Linearized" in raw[:2048])
    if updates > 0:
        traces["updates"] = min(updates, 99)
    made, changed = _day(info.get("/CreationDate", "")), _day(info.get("/ModDate", ""))
    if made and changed and changed - made > CHANGED_LATER:
        traces["changed_later"] = True
    return traces


def _editor(text: bytes) -> str:
    return next((name for name, pattern in PATTERNS.items() if pattern.search(text)), "")


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode(errors="ignore") if isinstance(value, str) else b""


def _day(text: str) -> dt.datetime | None:
    found = PDF_DATE.match(text)
    if found is None:
        return None
    try:
        return dt.datetime(*(int(part or 0) for part in found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None
