"""A zip of one page with its styles, scripts, pictures and fonts becomes one page that loads nothing: an HTML5 banner."""

from __future__ import annotations

import base64
import io
import posixpath
import re
import zipfile
from typing import Any, BinaryIO

from .refusal import Refusal

TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "svg": "image/svg+xml",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
}
TEXTS = ("html", "css", "js")
SCRIPT = re.compile(r"<script\b([^>]*?)\ssrc\s*=\s*[\"']([^\"']*)[\"']([^>]*)>\s*</script\s*>", re.I)
LINK = re.compile(r"<link\b[^>]*>", re.I)
META = re.compile(r"<meta\b[^>]*\bad\.size\b[^>]*>", re.I)
SIZE = re.compile(r"width\s*=\s*(\d{1,5})\D{1,5}height\s*=\s*(\d{1,5})", re.I)
HREF = re.compile(r"\shref\s*=\s*[\"']([^\"']*)[\"']", re.I)
# What Google's and the IAB's builders write; the address is ours to fill in.
CLICK_TAG = re.compile(r"\b(clickTag)(\s*=\s*)([\"'])[^\"'\n]*\3", re.I)
Result = tuple[dict[str, Any], bytes]


def page(file: BinaryIO, *, files_max: int, unpacked_max: int, mark: str) -> Result:
    """Join a banner's files into its page, with `mark` where the address of a click is assigned.

    Refusals: `files`, `unpacks`, `kind` (name), `page`, `size`, `clicktag`, `outside` (name).
    """
    files = _unpacked(file, files_max, unpacked_max)
    pages = [name for name in files if name.lower().endswith((".html", ".htm")) and "/" not in name]
    name = "index.html" if "index.html" in pages else pages[0] if len(pages) == 1 else ""
    if not name:
        raise Refusal("page")
    text = files[name].decode("utf-8", "replace").replace(mark, "")
    size = next((SIZE.search(tag[0]) for tag in META.finditer(text)), None)
    if size is None:
        raise Refusal("size")
    joined = _joined(text, files)
    joined, count = CLICK_TAG.subn(lambda found: f'{found[1]}{found[2]}"{mark}"', joined)
    if not count:
        raise Refusal("clicktag")
    if len(joined) > 2 * unpacked_max:  # a picture is written in wherever it is named
        raise Refusal("unpacks")
    return {"size": [int(size[1]), int(size[2])]}, joined.encode()


def _unpacked(file: BinaryIO, files_max: int, unpacked_max: int) -> dict[str, bytes]:
    """Read the archive's files by name, below the one folder that may hold them all; never more than the limit."""
    files, left = {}, unpacked_max
    try:
        with zipfile.ZipFile(io.BytesIO(file.read())) as archive:
            members = [one for one in archive.infolist() if not one.is_dir() and not _is_ignored(one.filename)]
            if len(members) > files_max:
                raise Refusal("files")
            for one in members:
                if one.filename.rpartition(".")[2].lower() not in (*TYPES, *TEXTS, "htm"):
                    raise Refusal("kind", name=one.filename[:80])
                with archive.open(one) as packed:
                    content = packed.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise Refusal("unpacks")
                files[posixpath.normpath(one.filename)] = content
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):  # encrypted, or packed in another way
        raise Refusal("damaged") from None
    tops = {name.partition("/")[0] for name in files}
    if len(tops) == 1 and all("/" in name for name in files):
        files = {name.partition("/")[2]: content for name, content in files.items()}
    return files


def _is_ignored(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")


def _joined(text: str, files: dict[str, bytes]) -> str:
    """Write styles and scripts into the page, and pictures and fonts into all three."""
    late: list[str] = []

    def script(found: re.Match[str]) -> str:
        code = _with_assets(_text_of(found[2], files), "", files)
        code = code.replace("<!--", "<\\!--")
        code = re.sub("</script", r"<\\/script", code, flags=re.I)
        tag = f"<script{found[1]}{found[3]}>{code}</script>"
        if not re.search(r"\sdefer\b", found[1] + found[3], re.I):
            return tag
        late.append(tag)
        return ""

    def style(found: re.Match[str]) -> str:
        href = HREF.search(found[0])
        if "stylesheet" not in found[0].lower() or href is None:
            return ""  # icons, preloads: nothing that may be loaded
        code = _with_assets(_text_of(href[1], files), posixpath.dirname(href[1]), files)
        return f"<style>{re.sub('</style', '', code, flags=re.I)}</style>"

    page = SCRIPT.sub(script, LINK.sub(style, _with_assets(text, "", files)))
    return page + "".join(late)


def _text_of(address: str, files: dict[str, bytes]) -> str:
    content = files.get(posixpath.normpath(address.partition("?")[0]))
    if content is None:
        raise Refusal("outside", name=address[:80])
    return content.decode("utf-8", "replace")


def _with_assets(text: str, folder: str, files: dict[str, bytes]) -> str:
    """Write pictures and fonts in place of their names, as they stand in quotes or brackets."""
    for name, content in files.items():
        kind = TYPES.get(name.rpartition(".")[2].lower())
        if kind is None:
            continue
        names = "|".join({re.escape(name), re.escape(posixpath.relpath(name, folder or "."))})
        if not re.search(names, text):
            continue
        data = f"data:{kind};base64,{base64.b64encode(content).decode()}"
        text = re.sub(rf"([\"'(])(?:\./)?(?:{names})(?=[\"')])", rf"\g<1>{data}", text)
    return text


OPERATIONS = {"page": page}
