"""`make screenshots`: starts a fresh demo, takes the ten pictures, and writes their list into docs/screenshots/README.md.

`python -m tests.screenshots home client` takes only those. With KEELSON_SMOKE_URL and KEELSON_SMOKE_VAR set, a demo that
runs already is used.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.screenshots.pictures import CLIENT, DESK, PICTURES, Picture
from tests.smoke.instance import ROOT, Instance, fresh_instance
from tests.smoke.people import PASSWORD, sign_in_staff

FOLDER = Path(ROOT) / "docs" / "screenshots"
CHROMIUM = os.environ.get("KEELSON_CHROMIUM", "/usr/bin/chromium-headless-shell")
COLOURS = 128


def main(names: list[str]) -> int:
    unknown = set(names) - {picture.name for picture in PICTURES}
    if unknown:
        print(f"no picture is named {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    with fresh_instance() as instance, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        states: dict[str, str] = {}
        for picture in PICTURES:
            if not names or picture.name in names:
                take(browser, instance, picture, states)
        browser.close()
    (FOLDER / "README.md").write_text(listing())
    total = sum(path.stat().st_size for path in FOLDER.glob("*.png"))
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER.relative_to(ROOT)}, {total / 1e6:.2f} MB")
    return 0


def take(browser: Browser, instance: Instance, picture: Picture, states: dict[str, str]) -> None:
    """One picture. A person signs in once: a one-time code is good for one sign-in."""
    width, height = picture.size
    is_phone = picture.size != DESK
    context = browser.new_context(
        base_url=instance.base_url,
        viewport={"width": width, "height": height},
        locale="en-GB",
        color_scheme="dark" if picture.dark else "light",
        reduced_motion="reduce",
        is_mobile=is_phone,
        has_touch=is_phone,
        device_scale_factor=2 if is_phone else 1,
        storage_state=states.get(picture.who),  # type: ignore[arg-type]
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    if picture.who not in states:
        sign_in(page, instance, picture.who)
        states[picture.who] = context.storage_state()  # type: ignore[assignment]
    picture.go(page)
    page.wait_for_load_state()
    page.wait_for_timeout(1200)  # tiles and charts come after the page
    path = FOLDER / f"{picture.name}.png"
    path.write_bytes(shrunk(page.screenshot()))
    print(
        f"{picture.name:<16} {path.stat().st_size / 1000:6.0f} kB  {page.url.removeprefix(instance.base_url)}",
        flush=True,
    )
    context.close()


def sign_in(page: Page, instance: Instance, who: str) -> None:
    if who != CLIENT:
        sign_in_staff(page, who)
        return
    found = instance.manage(
        "shell",
        "-v0",
        "-c",
        "from crm.models import User;"
        "user = User.objects.filter(kind='client', preferences__demo_login=True).select_related('brand').order_by('pk').first();"
        "print(user.brand.code, user.email)",
    )
    brand, email = found.stdout.split()
    page.goto(f"/b/{brand}/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.locator("form[data-sign-in] button.btn-primary").click()
    page.wait_for_url("**/portal/**")


def shrunk(png: bytes) -> bytes:
    """The same picture with a palette: flat surfaces lose nothing that one could see, and the file two thirds."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    small = picture.quantize(colors=COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    out = io.BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()


def listing() -> str:
    """docs/screenshots/README.md."""
    lines = ["# Pictures", "", "Taken from the demo by `make screenshots`; invented people, sandbox money.", ""]
    for picture in PICTURES:
        size = ' width="300"' if picture.size != DESK else ""
        shown = (
            f'<img src="{picture.name}.png" alt="{picture.tells}"{size}>'
            if size
            else f"![{picture.tells}]({picture.name}.png)"
        )
        lines += [f"## {picture.tells}", "", shown, ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
