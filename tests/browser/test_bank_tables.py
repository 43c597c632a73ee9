"""A bank's table that nobody knows: finance says what its columns mean, sees what would be booked; the next one just goes in."""

from tests.browser.conftest import enter
from tests.wallet.providers import provider

ODD = (
    "Wann;Wer;Wieviel raus;Wieviel rein;Wozu;Stand\n"
    "03.02.2026;Hausverwaltung GmbH;1.234,50;;Miete Februar;8.765,50\n"
    "04.02.2026;Clara Weber;;10,00;RF12 D23456789;8.775,50\n"
    "05.02.2026;Bank;2,00;;Gebuehr;8.773,50\n"
)
NEXT = "Wann;Wer;Wieviel raus;Wieviel rein;Wozu;Stand\n06.02.2026;Clara Weber;;20,00;RF12;8.793,50\n"


def test_a_table_is_said_once_and_read_from_then_on(page, cast, tmp_path):
    with provider(cast, tmp_path, "bankwire") as outside:
        enter(page, cast.finance)

        def upload(name: str, text: str) -> None:
            path = tmp_path / name
            path.write_text(text)
            page.goto("/money/bank/")
            page.locator("select[name=psp]").first.select_option(str(outside.psp.pk))
            page.set_input_files("input[name=file]", path)
            page.get_by_role("button", name="Import and book").click()

        def confirm() -> None:
            """Its running balance proves no end, so a person confirms that it wasn't cut off."""
            page.get_by_role("button", name="Confirm as complete").click()
            page.get_by_text("Statement confirmed and imported.").wait_for()

        upload("february.csv", ODD)
        page.get_by_role("heading", name="Column mapping").wait_for()
        assert page.get_by_role("button", name="Save mapping and import").is_disabled()
        for at, meaning in enumerate(["date", "name", "debit", "credit", "text", "balance"]):
            page.locator(f"select[name=column_{at}]").select_option(meaning)
        page.locator("select[name=decimal]").select_option(",")
        page.locator("input[name=currency]").fill("EUR")
        assert page.locator("input[name=header]").input_value() == "1", (
            "the row of names is found, though nobody knows them"
        )
        page.get_by_role("button", name="Refresh preview").click()
        page.get_by_text("running balance").first.wait_for()
        page.get_by_role("button", name="Save mapping and import").click()
        confirm()
        upload("next.csv", NEXT)
        confirm()
        page.get_by_role("link", name="Column mappings").click()
        page.get_by_text("february.csv").wait_for()
        assert page.get_by_text("2 files").is_visible()
