"""The frame of every page in a real browser: palette, appearance, menu on a phone, bell, live updates, dialogs, style guide."""

import copy
import os
import re
import socket
import subprocess
import sys
import time

import httpx
import pytest
from playwright.sync_api import expect

from crm.models import Job
from crm.notices.kinds import CrmNotice
from crm.notices.notify import notify, push_live
from tests.browser.people import enter


def test_the_palette_opens_by_keyboard_and_goes_where_one_says(page, cast):
    enter(page, cast.administrator)
    page.goto("/home/")
    page.keyboard.press("Control+k")
    expect(page.locator("#k-palette")).to_be_visible()
    page.keyboard.type("failed ev")
    found = page.locator(".k-palette-item")
    expect(found.first).to_contain_text("Failed events")
    expect(found.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/events/")
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.locator("#k-palette")).to_be_hidden()


def test_arrows_move_through_the_palette(page, cast):
    enter(page, cast.administrator)
    page.goto("/home/")
    page.locator("[data-palette]").click()
    expect(page.locator(".k-palette-item").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".k-palette-item").nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".k-palette-item").last).to_have_attribute("aria-selected", "true")


def test_a_question_mark_lists_the_keys_of_this_page_and_of_every_page(page, cast):
    enter(page, cast.administrator)
    page.goto("/events/")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_be_visible()
    expect(keys).to_contain_text("Next or previous row")
    expect(keys.get_by_role("heading", name="On this page")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.keyboard.press("/")  # into the search box, where a question mark is a question mark
    page.keyboard.type("why?")
    expect(keys).to_be_hidden()
    page.goto("/home/")
    page.get_by_role("button", name=re.compile("^Your account")).click()
    page.get_by_role("button", name="Keyboard").click()
    expect(keys).to_be_visible()
    expect(keys.get_by_role("heading", name="In lists")).to_be_hidden()


def test_dark_stays_dark_and_automatic_follows_the_device(page, cast):
    enter(page, cast.agent)
    page.goto("/home/")
    page.locator("[aria-label=Appearance]").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.goto("/jobs/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background != page.evaluate("getComputedStyle(document.querySelector('.k-table-card')).backgroundColor")
    page.locator("[aria-label=Appearance]").click()
    page.get_by_role("button", name="Same as device").click()
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_on_a_phone_the_menu_comes_when_called_and_nothing_overflows(phone, cast):
    enter(phone, cast.administrator)
    phone.goto("/home/")
    expect(phone.locator(".k-nav")).not_to_be_in_viewport()
    phone.locator("[data-nav-open]").tap()
    expect(phone.locator(".k-nav")).to_be_in_viewport()
    phone.locator(".k-rail").get_by_role("link", name="Set-up").tap()
    phone.locator("#k-area-setup").get_by_role("link", name="Failed events").tap()
    phone.wait_for_url("**/events/")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_language_changes_in_place_and_stays(page, cast):
    enter(page, cast.agent)
    page.goto("/jobs/")
    page.locator("[aria-label^='Your account']").click()
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("h1")).to_have_text("Meine Exporte und Aufträge")
    page.goto("/notifications/")
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_the_bell_shows_what_happened_and_leads_there(page, cast):
    notify(
        [cast.agent], kind=CrmNotice.MAIL_FAILED, title="New lead: Clara", body="Germany, 82 points", url="/profile/"
    )
    enter(page, cast.agent)
    page.goto("/home/")
    expect(page.locator("[data-unread]")).to_have_text("1")
    page.locator("[title=Notifications]").click()
    page.locator("#k-bell-list .k-notice").click()
    page.wait_for_url("**/profile/")
    expect(page.locator("[data-unread]")).to_be_hidden()


def test_a_job_moves_its_bar_and_ends_with_a_download(page, cast, background, monkeypatch):
    from crm.files import jobs

    def slowly(job):
        for n in range(4):
            job._reported_at = 0
            job.progress(n, 4, "rows written")
            time.sleep(0.4)
        job.attach("list.csv", b"a,b\n1,2\n")

    monkeypatch.setitem(jobs.KINDS, "test.slow", jobs.JobKind("test.slow", "Slow", slowly))
    job = Job.objects.create(kind="test.slow", title="Slow export", owner=cast.agent)
    enter(page, cast.agent)
    page.goto(f"/jobs/{job.pk}/")
    expect(page.locator("progress")).to_be_visible()
    link = page.get_by_role("link", name="Download list.csv")
    expect(link).to_be_visible(timeout=15_000)
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "list.csv"


def test_a_job_is_cancelled_without_leaving_the_page(page, cast):
    job = Job.objects.create(kind="test.waits", title="Waits", owner=cast.agent)
    enter(page, cast.agent)
    page.goto(f"/jobs/{job.pk}/")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("This job was cancelled")).to_be_visible()


@pytest.mark.parametrize("query", ["", "?theme=dark", "?dir=rtl", "?dir=rtl&theme=dark"])
def test_the_style_guide_draws_everything_in_every_look(page, cast, query):
    enter(page, cast.agent)
    page.goto(f"/styleguide/{query}")
    expect(page.locator(".k-chart canvas")).to_be_visible()
    page.get_by_role("button", name="Dialog").click()
    expect(page.locator("#sample-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    if "rtl" in query:
        box = page.locator(".k-nav").bounding_box()
        assert box["x"] > 1000, "the menu is on the right"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440


def test_text_has_enough_contrast_in_both_themes(page, cast):
    """WCAG AA (4.5:1) for badges, alerts, muted text and buttons, as the browser computes their colours."""
    enter(page, cast.agent)
    for theme in ("light", "dark"):
        page.goto(f"/styleguide/?theme={theme}")
        low = page.evaluate(CONTRAST)
        assert not low, (theme, low)


CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (css) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (el) => {
    for (; el; el = el.parentElement) {
      const colour = rgba(getComputedStyle(el).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const texts = '.k-badge, .k-alert div, .muted, .faint, .btn:not(:disabled), .k-table th, .k-nav-link span, '
    + '.form-hint, .invalid-feedback, .k-stat .label';
  const low = [];
  for (const el of document.querySelectorAll(texts)) {
    if (!el.textContent.trim() || !el.checkVisibility()) continue;
    const [a, b] = [light(rgba(getComputedStyle(el).color)), light(behind(el))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push(`${el.className}: ${el.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return [...new Set(low)];
}"""


@pytest.fixture
def live(live_server, settings):
    """The live process beside the pages, as the supervisor starts it. Ask for it before the pages: it must outlive them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings.BASE_URL, settings.LIVE_URL = live_server.url, f"http://localhost:{port}"
    policy = copy.deepcopy(settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["connect-src"] = ["'self'", settings.LIVE_URL]
    settings.CONTENT_SECURITY_POLICY = policy
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "uvicorn",
            "crm.asgi:application",
            "--host",
            "localhost",
            "--port",
            str(port),
            "--log-level",
            "warning",
            "--lifespan",
            "off",
            "--timeout-graceful-shutdown",
            "1",
        ],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "crm.settings.test", "KEELSON_BASE_URL": live_server.url},
    )
    for _ in range(150):
        try:
            httpx.get(f"{settings.LIVE_URL}/live/")
            break
        except httpx.ConnectError:
            time.sleep(0.1)
    yield settings.LIVE_URL
    server.terminate()
    server.wait(15)


def test_a_notification_appears_at_once_without_reload(live, page, open_page, cast):
    enter(page, cast.agent)
    other = open_page()
    enter(other, cast.other_agent)
    for one in (page, other):
        one.goto("/home/")
        expect(one.locator("html")).to_have_attribute("data-live", "on", timeout=15_000)
    started = time.perf_counter()
    notify([cast.agent], kind=CrmNotice.MAIL_FAILED, title="New lead: <b>Clara</b>", body="Germany", url="/profile/")
    toast = page.locator(".k-toast")
    expect(toast).to_contain_text("New lead: <b>Clara</b>")
    took = time.perf_counter() - started
    expect(page.locator("[data-unread]")).to_have_text("1")
    assert took < 1.5, f"the toast came after {took:.2f} s"
    assert other.locator(".k-toast").count() == 0
    toast.locator("a").click()
    page.wait_for_url("**/profile/")


def test_two_tabs_of_one_browser_share_one_stream(live, page, cast):
    enter(page, cast.agent)
    page.goto("/home/")
    expect(page.locator("html")).to_have_attribute("data-live", "on", timeout=15_000)
    second = page.context.new_page()
    second.goto("/jobs/")
    second.evaluate("document.body.addEventListener('k:live:ping', () => { document.title = 'heard'; })")
    push_live(cast.agent.pk, event="ping", data={})
    expect(second).to_have_title("heard")
    page.close()  # the first tab held the stream: the second takes it over
    expect(second.locator("html")).to_have_attribute("data-live", "on", timeout=15_000)


def test_every_icon_that_a_page_or_a_menu_names_is_in_the_sprite():
    from django.conf import settings

    from crm.ui import panels
    from crm.ui.icons import icon_names

    named = {entry.icon for entry in panels.registry.of(panels.MenuEntry)} | {
        tab.icon for tab in panels.registry.of(panels.Tab) if tab.icon
    }
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        text = path.read_text()
        named |= set(re.findall(r"""{% icon ["']([a-z0-9-]+)["']""", text))
        named |= set(re.findall(r"""<c-[^>]*\sicon="([a-z0-9-]+)\"""", text))
    for path in settings.BASE_DIR.rglob("*.py"):
        if ".venv" not in path.parts and "var" not in path.parts and "tests" not in path.parts:
            named |= set(re.findall(r"""icon=["']([a-z0-9-]+)["']""", path.read_text()))
    assert named <= icon_names(), f"add to static/vendor/lucide/sprite.svg: {sorted(named - icon_names())}"
