"""Bank wires as people see them: the client's reference on the phone, finance's statement, a wire that nobody recognised."""

from tests.browser.conftest import enter
from tests.wallet.providers import provider, start
from tests.wallet.psp.test_bank_wire import ordered, statement, wire
from wallet.choices.deposits import DepositState


def test_a_wire_is_shown_imported_and_assigned_by_hand(page, phone, cast, tmp_path):
    with provider(cast, tmp_path, "bankwire") as outside:
        deposit = start(cast, outside, "725")
        enter(phone, cast.client_user)
        phone.goto(f"/portal/wallet/{deposit.reference}/pay/")
        assert phone.get_by_text("DE89 3704 0044 0532 0130 00").first.is_visible()
        assert phone.get_by_text(deposit.instructions["reference"]).first.is_visible()

        ordered(outside)
        wire(outside, "rent", 72_500)
        wire(outside, "interest", 1_234, name="The bank")
        path = tmp_path / "october.xml"
        path.write_bytes(statement(outside))
        enter(page, cast.finance)
        page.goto("/money/bank/")
        page.locator("select[name=psp]").first.select_option(str(outside.psp.pk))
        page.set_input_files("input[name=file]", path)
        page.get_by_role("button", name="Import and book").click()
        page.get_by_text("New entries: 2. Already known: 0.").wait_for()
        page.get_by_role("button", name="Create payment file").click()
        page.get_by_text("is ready. Download it").wait_for()
        page.get_by_role("button", name="Mark as sent").wait_for()
        page.goto("/money/bank/?state=unmatched")
        page.goto(f"/money/bank/entries/{outside.psp.bank_entries.get(amount_minor=1_234).pk}/")
        page.get_by_role("button", name="Not client-related").wait_for()
        entry = outside.psp.bank_entries.get(amount_minor=72_500)
        page.goto(f"/money/bank/entries/{entry.pk}/")
        page.get_by_role("link", name=deposit.reference).click()
        page.locator("textarea[name=reason]").fill("The client sent the slip")
        page.get_by_role("button", name="Assign to deposit").click()
        page.get_by_text("Assigned manually").first.wait_for()
        deposit.refresh_from_db()
        assert deposit.state == DepositState.SETTLED
