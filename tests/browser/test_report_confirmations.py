"""A settlement report without its end: uploaded, compared, confirmed, on a desk and on a phone."""

from tests.browser.conftest import enter
from tests.wallet.factories import make_psp
from tests.wallet.reconciliation.test_report_ends import CUT


def test_a_report_is_confirmed_where_its_sums_are_seen(open_page, phone, cast, tmp_path):
    psp = make_psp(cast.brand, "cards", adapter="stripe")
    page = open_page(color_scheme="dark")
    path = tmp_path / "cut.csv"
    path.write_bytes(CUT)
    enter(page, cast.finance)
    page.goto("/money/reconciliation/")
    page.locator("select[name=psp]").first.select_option(str(psp.pk))
    page.set_input_files("input[name=file]", path)
    page.get_by_role("button", name="Import and match").click()
    page.get_by_role("heading", name="Is this report complete?").wait_for()
    enter(phone, cast.finance)
    phone.goto("/money/reconciliation/")
    phone.get_by_role("link", name="cut.csv").click()
    phone.get_by_role("heading", name="Is this report complete?").wait_for()
    phone.get_by_role("button", name="Confirm as complete").click()
    phone.get_by_text("Report confirmed and imported.").wait_for()
