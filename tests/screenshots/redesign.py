"""`python -m tests.screenshots.redesign`: docs/screenshots/after, the same pages as in docs/screenshots/before.

Each page as desktop light, desktop dark and phone. `… home-sales menu` takes only those. With KEELSON_SMOKE_URL and
KEELSON_SMOKE_VAR set, a demo that runs already is used.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.screenshots.__main__ import CHROMIUM, FOLDER
from tests.screenshots.pictures import DESK, PHONE, at, client_page, first_row
from tests.smoke.instance import Instance, fresh_instance
from tests.smoke.people import PASSWORD, sign_in_staff

AFTER = FOLDER / "after"
FORMS: dict[str, dict[str, Any]] = {
    "light": {"viewport": DESK, "color_scheme": "light"},
    "dark": {"viewport": DESK, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "is_mobile": True, "has_touch": True},
}
QUALITY, PHONE_SCALE = 60, 1.5
PEOPLE = """
from crm.accounts.demo_mode import staff_of_each_role
from crm.models import User
for label, user in staff_of_each_role():
    role = user.groups.first().name
    print(role, user.email)
for kind in ("client", "partner"):
    rows = User.objects.filter(kind=kind, preferences__demo_login=True).select_related("brand").order_by("pk")
    print(kind, rows[0].email, rows[0].brand.code)
"""


def menu(page: Page) -> None:
    """Open the menu where it is a drawer; on a desktop it is beside the page."""
    page.goto("/money/withdrawals/")
    button = page.locator("[data-nav-open]")
    if button.count() and button.first.is_visible():
        button.first.click()


PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "campaigns": ("marketing", at("/campaigns/")),
    "dashboard": ("desk_head", at("/reports/sales/")),
    "home-administrator": ("administrator", at("/home/")),
    "home-auditor": ("auditor", at("/home/")),
    "home-desk-head": ("desk_head", at("/home/")),
    "home-finance": ("finance", at("/home/")),
    "home-ib-manager": ("ib_manager", at("/home/")),
    "home-kyc": ("kyc_officer", at("/home/")),
    "home-marketing": ("marketing", at("/home/")),
    "home-mlro": ("mlro", at("/home/")),
    "home-retention": ("retention", at("/home/")),
    "home-sales": ("agent", at("/home/")),
    "home-support": ("support", at("/home/")),
    "list": ("desk_head", at("/clients/")),
    "menu": ("finance", menu),
    "partner-home": ("partner", at("/partners/")),
    "partner-links": ("partner", at("/partners/links/")),
    "plans-editor": ("ib_manager", at("/ib/plans/new/")),
    "record": ("desk_head", client_page("timeline")),
    "trader-accounts": ("client", at("/portal/accounts/open/")),
    "trader-home": ("client", at("/portal/")),
    "withdrawal": ("finance", first_row("/money/withdrawals/", r"/money/withdrawals/\d+/")),
}


def people(instance: Instance) -> dict[str, list[str]]:
    """Map each role to its first demo login: e-mail, and the brand's code for clients and partners."""
    lines = [line.split() for line in instance.manage("shell", "-v0", "-c", PEOPLE).stdout.splitlines() if line]
    return {role: rest for role, *rest in reversed(lines)}


def sign_in(page: Page, login: list[str]) -> None:
    if len(login) == 1:
        sign_in_staff(page, login[0])
        return
    email, brand = login
    page.goto(f"/b/{brand}/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.locator("form[data-sign-in] button.btn-primary").click()
    page.wait_for_url("**/p*/**")


def context_of(browser: Browser, instance: Instance, form: str, state: Any) -> BrowserContext:
    width, height = FORMS[form]["viewport"]
    return browser.new_context(
        **{**FORMS[form], "viewport": {"width": width, "height": height}},
        base_url=instance.base_url,
        locale="en-GB",
        reduced_motion="reduce",
        device_scale_factor=PHONE_SCALE if form == "phone" else 1,
        storage_state=state,
    )


def take(browser: Browser, instance: Instance, names: list[str]) -> None:
    logins, states = people(instance), {}
    for name, (who, go) in PAGES.items():
        if names and name not in names:
            continue
        for form in FORMS:
            context = context_of(browser, instance, form, states.get(who))
            page = context.new_page()
            page.set_default_timeout(30_000)
            if who not in states:
                sign_in(page, logins[who])
                states[who] = context.storage_state()
            go(page)
            page.wait_for_load_state()
            page.wait_for_timeout(1_200)  # cards and charts come after the page
            path = AFTER / f"{name}-{form}.webp"
            Image.open(io.BytesIO(page.screenshot())).save(path, quality=QUALITY, method=6)
            print(f"{path.name:<32} {path.stat().st_size / 1000:4.0f} kB", flush=True)
            context.close()


def listing(folder: Path) -> str:
    """Write the README: each page in three forms, before and after."""
    lines = [
        "# After the redesign",
        "",
        "The same pages of the demo as in [before](../before/README.md): desktop light, desktop dark, phone. Taken by",
        "`python -m tests.screenshots.redesign`.",
        "",
        "| page | light | dark | phone |",
        "|---|---|---|---|",
    ]
    for name in PAGES:
        cells = []
        for form in FORMS:
            has_before = (folder.parent / "before" / f"{name}-{form}.webp").exists()
            before = f"[before](../before/{name}-{form}.webp) · " if has_before else ""
            cells.append(f"{before}[after]({name}-{form}.webp)")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def main(names: list[str]) -> int:
    unknown = set(names) - set(PAGES)
    if unknown:
        print(f"no page is named {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    AFTER.mkdir(parents=True, exist_ok=True)
    with fresh_instance() as instance, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        take(browser, instance, names)
        browser.close()
    (AFTER / "README.md").write_text(listing(AFTER))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
