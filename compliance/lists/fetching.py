"""Getting a list's file from its publisher: only when it changed, within bounds, never from inside our own network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx
from django.conf import settings
from django.utils.translation import gettext as _

from compliance.sources.base import UNPACKED_BYTES_MAX
from crm.outside import destinations, outbound

BOUNDS: Final = outbound.Bounds(bytes_max=UNPACKED_BYTES_MAX, seconds=900, timeout=httpx.Timeout(60, connect=10))
REDIRECTS_MAX: Final = 4  # OFAC answers with a signed address of its store
HEADER_CHARS_MAX: Final = 200


class FetchFailed(Exception):
    """The list couldn't be fetched; its words are for the page of lists."""


@dataclass(frozen=True)
class Fetched:
    """A new file in a folder of its own, and what to ask with the next time."""

    path: Path
    etag: str = ""
    last_modified: str = ""


def require_reachable(address: str) -> None:
    """Check what somebody typed: a public https address, or a file below the folder of lists. Raises: DomainError, FetchFailed."""
    if "://" in address:
        destinations.require_public_url(address)
    else:
        _file_of(address)


def fetch(address: str, folder: Path, *, etag: str = "", last_modified: str = "") -> Fetched | None:
    """Fetch what has changed since; None when nothing has. Raises: FetchFailed."""
    if "://" not in address:
        return _from_file(_file_of(address), last_modified)
    asked = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    headers = {"User-Agent": "Keelson", "Accept": "*/*", **{name: value for name, value in asked.items() if value}}
    try:
        return _from_address(address, folder, headers, REDIRECTS_MAX)
    except outbound.AnswerTooLarge as error:
        raise FetchFailed(_("The file is larger than %(size)d MB.") % {"size": UNPACKED_BYTES_MAX // 2**20}) from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise FetchFailed(_("The publisher can't be reached: %(error)s") % {"error": str(error)[:300]}) from error


def _from_address(address: str, folder: Path, headers: dict[str, str], hops: int) -> Fetched | None:
    with outbound.streamed("GET", address, bounds=BOUNDS, headers=headers) as response:
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return None
        if not response.is_redirect:
            return _kept(address, folder, response)
        target = urljoin(address, response.headers["location"])
    if not hops:
        raise FetchFailed(_("The publisher redirects too often."))
    # The next host is checked like the first one; a login isn't sent, so none can leak.
    return _from_address(target, folder, headers, hops - 1)


def _kept(address: str, folder: Path, response: httpx.Response) -> Fetched:
    if response.status_code != httpx.codes.OK:
        raise FetchFailed(_("The publisher answered with status %(status)d.") % {"status": response.status_code})
    path = folder / (re.sub(r"[^\w.-]+", "_", Path(urlsplit(address).path).name)[-80:] or "list")
    with path.open("wb") as out:
        for piece in outbound.pieces_of(response, bytes_max=BOUNDS.bytes_max):
            out.write(piece)
    marks = (response.headers.get(name, "") for name in ("etag", "last-modified"))
    # A mark that doesn't fit is left out: then the whole file comes again, which is slower and not wrong.
    etag, modified = (
        mark if len(mark) <= limit else "" for mark, limit in zip(marks, (HEADER_CHARS_MAX, 80), strict=True)
    )
    return Fetched(path, etag, modified)


def _file_of(name: str) -> Path:
    root = Path(settings.WATCHLIST_FOLDER).resolve() if settings.WATCHLIST_FOLDER else None
    if root is None:
        raise FetchFailed(_("Files are read from KEELSON_WATCHLIST_FOLDER, which isn't set. Enter an address instead."))
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise FetchFailed(_("The file must be below KEELSON_WATCHLIST_FOLDER."))
    return path


def _from_file(path: Path, last_modified: str) -> Fetched | None:
    try:
        status = path.stat()
    except OSError as error:
        raise FetchFailed(_("%(file)s can't be read.") % {"file": path.name}) from error
    mark = f"{status.st_mtime_ns} {status.st_size}"
    return None if mark == last_modified else Fetched(path, last_modified=mark)
