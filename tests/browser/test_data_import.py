"""An administrator brings another CRM's clients over: upload, columns, check, confirmation, report."""

import os

from tests.browser.conftest import SHOTS, enter

EXPORT = (
    "Kundennummer;Vorname;Nachname;E-Mail;Telefon;Land;Geburtsdatum;Regdate\n"
    "7001;Jürgen;Groß;juergen@import.example;0151 23456789;Deutschland;31.12.1980;05.01.2024\n"
    "7002;Åsa;Öberg;asa@import.example;+46 70 123 45 67;SE;01.02.1990;\n"
    "7003;Pia;Rossi;no-address;;IT;;\n"
    "7001;Jürgen;Groß;juergen@import.example;;Deutschland;;\n"
)


def shot(page, name):
    """Keep a picture where somebody asked for them."""
    if os.environ.get("KEELSON_SHOTS"):
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(SHOTS / f"import-{name}.png"), full_page=True)


def _pictures(page, url):
    page.set_viewport_size({"width": 390, "height": 844})
    for name, address in (("report-phone", url), ("list-phone", "/imports/"), ("upload-phone", "/imports/new/")):
        page.goto(address)
        shot(page, name)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="dark")
    page.goto(url)
    shot(page, "report-dark")
    page.goto("/imports/")
    shot(page, "list-dark")


def test_clients_of_another_crm_come_over_in_the_browser(page, cast, tmp_path, background):
    path = tmp_path / "kunden.csv"
    path.write_bytes(EXPORT.encode("cp1252"))
    enter(page, cast.administrator)
    page.goto("/imports/")
    page.get_by_role("link", name="Import file").first.click()
    page.set_input_files("input[name=file]", path)
    page.get_by_label("Records in the file").select_option("clients")
    page.get_by_label("Other system").fill("OldCRM")
    shot(page, "upload")
    page.get_by_role("button", name="Upload file").click()

    page.get_by_role("heading", name="How the file is read").wait_for()
    assert page.get_by_text("Windows-1252").is_visible()
    assert page.locator("select[name=column_email]").input_value() == "E-Mail"
    assert "no-address = " in page.locator("textarea[name=values_email]").input_value()
    page.locator("select[name=dates]").select_option("dmy")
    page.get_by_label("Remember this mapping as").fill("OldCRM clients")
    shot(page, "columns")
    page.get_by_role("button", name="Check file").click()

    page.get_by_role("button", name="Import 2 rows").wait_for()
    assert page.get_by_text("2 new records are imported.").is_visible()
    page.get_by_role("link", name="Refused 1").click()
    page.get_by_text("isn't a valid e-mail address").wait_for()
    shot(page, "checked")
    page.get_by_role("button", name="Import 2 rows").click()

    page.get_by_role("heading", name="Report").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Rows left out").click()
    assert "Rossi" in download.value.path().read_text(encoding="utf-8-sig")
    shot(page, "report")
    if os.environ.get("KEELSON_SHOTS"):
        _pictures(page, page.url)
    page.goto("/clients/?q=juergen@import.example")
    page.get_by_text("Groß").first.wait_for()
