"""The stylesheets and scripts that every page of a kind needs, as one file each: a request less is 150 ms less on a phone.

A page names `bundles/portal.css`; it is made from its parts when static files are collected, and in tests when it is asked for.
"""

from __future__ import annotations

import atexit
import posixpath
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

TABLER: Final = "vendor/tabler/tabler.used.min.css"
TABLER_RTL: Final = "vendor/tabler/tabler.used.rtl.min.css"
SCRIPTS: Final = ("vendor/htmx/htmx.min.js", "js/keelson.js", "js/dropdown.js", "js/modules.js", "js/live.js")
BUNDLES: Final[dict[str, tuple[str, ...]]] = {
    "bundles/staff.css": (TABLER, "css/keelson.css"),
    "bundles/staff.rtl.css": (TABLER_RTL, "css/keelson.css"),
    "bundles/staff.js": (*SCRIPTS, "js/nav.js"),
    "bundles/portal.css": (TABLER, "css/keelson.css", "css/portal.css"),
    "bundles/portal.rtl.css": (TABLER_RTL, "css/keelson.css", "css/portal.css"),
    "bundles/portal.js": SCRIPTS,
}
# An address in a stylesheet that is relative to it; what carries its picture in itself is none.
ADDRESS: Final = re.compile(r"""url\((["']?)(?!data:|/|#)([^"')]+)\1\)""")


def joined(name: str) -> str:
    """Put the parts of a bundle one after another; addresses in stylesheets hold in its folder, too."""
    texts = []
    for part in BUNDLES[name]:
        text = (Path(settings.BASE_DIR) / "static" / part).read_text(encoding="utf-8")
        if name.endswith(".css"):
            texts.append(_moved(text, posixpath.dirname(part), posixpath.dirname(name)))
        else:
            texts.append(f"{text.rstrip()}\n;")  # a part may end without one
    return "\n".join(texts)


def _moved(css: str, folder: str, to: str) -> str:
    return ADDRESS.sub(lambda found: f'url("{posixpath.relpath(posixpath.join(folder, found[2]), to)}")', css)


@cache
def _folder() -> Path:
    """Give this process a place for what it made; it goes when the process ends."""
    folder = tempfile.mkdtemp(prefix="keelson-bundles-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def current(name: str) -> Path:
    """Return the file of a bundle, rebuilt when one of its parts has changed."""
    target = _folder() / name
    newest = max((Path(settings.BASE_DIR) / "static" / part).stat().st_mtime_ns for part in BUNDLES[name])
    if not target.exists() or target.stat().st_mtime_ns < newest:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(joined(name), encoding="utf-8")
    return target


class BundleFinder(BaseFinder):
    """Lets `collectstatic` and the tests' server find bundles as if they lay in `static/`."""

    def check(self, **_kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **_kwargs: Any) -> Any:
        found = [str(current(path))] if path in BUNDLES else []
        return found if find_all or not found else found[0]

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        for name in BUNDLES:
            current(name)
            yield name, FileSystemStorage(location=_folder())
