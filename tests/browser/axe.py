"""axe-core on an open page: WCAG 2.2 A and AA, and of its best practices what is serious or moderate."""

from __future__ import annotations

import os

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.browser import static_files

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SHOWS_ALL = os.environ.get("KEELSON_AXE") == "all"
# Rows of a table are of one markup: of a long one, the first are looked at.
LONG = [["tbody tr:nth-child(n+7)"]]
# The menu and the bar above are the same on each page of a role: the first of them is looked at whole.
FRAME = [[".k-nav"], [".k-top"]]
# Half a megabyte, which the browser keeps compiled where it is a file of the server's.
ADDRESS = static_files.add("axe.js", AXE_SCRIPT)
RUN = """async ([address, context, options]) => {
  if (!window.axe) await new Promise((loaded, failed) => {
    const script = Object.assign(document.createElement("script"), {src: address, onload: loaded, onerror: failed});
    document.head.append(script);
    script.remove();
  });
  return (await axe.run(context || document, options)).violations;
}"""


def violations(page: Page, options: dict, look: str = "desk", *, whole: bool = True) -> list[str]:
    context = None if SHOWS_ALL else {"exclude": LONG if whole else [*LONG, *FRAME]}
    found = page.evaluate(RUN, [ADDRESS, context, {"resultTypes": ["violations"], **options}])
    return [
        f"{look}: {page.url.partition('//')[2].partition('/')[2]}: {rule['id']}: {node['target']} {node['html'][:120]} "
        f"{node['failureSummary'].splitlines()[-1].strip()}"
        for rule in found
        if rule["impact"] != "minor" or "best-practice" not in rule["tags"]
        for node in rule["nodes"][:3]
    ]


def all_rules(page: Page, look: str, *, whole: bool = True) -> list[str]:
    return violations(page, {"runOnly": {"type": "tag", "values": TAGS}}, look, whole=whole)


def in_the_dark(page: Page) -> list[str]:
    """Loaded anew: a theme that changes on an open page is measured half way."""
    page.emulate_media(color_scheme="dark")
    page.reload(wait_until="load")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    found = violations(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}}, "dark")
    page.emulate_media(color_scheme="light")
    return found
