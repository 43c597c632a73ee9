"""What a first visit loads, in bytes over the wire: pages compressed as the application does, files as they are stored."""

import gzip
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import brotli
import pytest
from django.contrib.staticfiles import finders

from tests.cast import signed_in

pytestmark = pytest.mark.django_db
ALREADY_COMPRESSED = (".woff2", ".png")


class Assets(HTMLParser):
    """The addresses of stylesheets, scripts, fonts, pictures and icons that a page names; and all classes and ids on it."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: set[str] = set()
        self.names: set[str] = set()
        self.before_paint: list[str] = []
        self.modules: dict[str, list[str]] = {}

    def handle_starttag(self, tag, attributes):
        values = {name: value or "" for name, value in attributes}
        self.names |= {f".{name}" for name in values.get("class", "").split()}
        self.names |= {f"#{values['id']}"} if "id" in values else set()
        self.names |= {f"[{name}]" for name in values}
        if tag == "body":
            self.modules = json.loads(values.get("data-modules") or "{}")
        if tag in ("script", "img") and "src" in values:
            self.addresses.add(values["src"])
        if tag == "link" and values.get("rel") in ("stylesheet", "preload", "icon"):
            self.addresses.add(values["href"])
        if (tag == "link" and values.get("rel") == "stylesheet") or (
            tag == "script" and "src" in values and "defer" not in values
        ):
            self.before_paint.append(values.get("href") or values["src"])
        if tag == "use":
            self.addresses.add(values["href"].partition("#")[0])

    def all(self) -> set[str]:
        asked = [files for selector, files in self.modules.items() if self.names & set(selector.split(", "))]
        return self.addresses.union(*asked)


@cache
def stored_bytes(address: str) -> int:
    path = finders.find(address.partition("/static/")[2])
    assert path, address
    content = Path(path).read_bytes()
    return len(content if address.endswith(ALREADY_COMPRESSED) else brotli.compress(content))


def weight(browser, path: str) -> tuple[int, dict[str, int]]:
    html = browser.get(path).content
    assets = Assets()
    assets.feed(html.decode())
    parts = {"page": len(gzip.compress(html, 6)) + 100}  # the padding at most
    for address in assets.all():
        if "/static/" in address:
            # Plain storage or a manifest's: the name without its hash.
            parts[address] = stored_bytes(re.sub(r"\.[0-9a-f]{12}(?=\.)", "", address))
        else:
            parts[address] = len(gzip.compress(browser.get(address).content, 6))
    return sum(parts.values()), parts


def test_the_traders_home_stays_light(room):
    total, parts = weight(room.browser, "/portal/")
    assert any("inter-latin" in address for address in parts)
    assert total <= 110_000, sorted(parts.items(), key=lambda row: -row[1])
    assert not [address for address in parts if "uPlot" in address or "tables" in address]


def test_the_traders_home_asks_for_all_it_needs_at_once(room):
    """A browser has six connections to a host: what waits for one comes 150 ms later on a phone, and the first words with it."""
    html = room.browser.get("/portal/").content.decode()
    page = Assets()
    page.feed(html)
    first, *_others = page.before_paint
    assert "theme" in first, "a script after a stylesheet waits for it"
    assert len(page.before_paint) == 4, page.before_paint  # theme, styles, the brand's colours, scripts
    assert sum(stored_bytes(address) for address in page.before_paint if address.startswith("/static/")) <= 50_000
    icons = {address for address in page.addresses if "mark" in address}
    assert len(page.addresses - icons) <= 6, page.addresses
    assert page.before_paint[-1] in html.rpartition("</section>")[2], "scripts don't hold up the reading of the page"


def test_the_clients_page_of_staff_stays_light(room):
    total, parts = weight(signed_in(room.cast.desk_head), f"/clients/{room.client.pk}/")
    assert total <= 180_000, sorted(parts.items(), key=lambda row: -row[1])


def test_a_page_with_a_chart_loads_what_draws_it(room):
    chart = Assets()
    chart.feed('<body data-modules=\'{".k-chart": ["/static/a.js"]}\'><div class="k-chart">')
    assert chart.all() == {"/static/a.js"}
