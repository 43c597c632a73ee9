"""A table whose names do not tell: said once on its page, remembered for account and shape, then read without asking."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm.models import AuditEvent
from tests.wallet.psp.test_bank_wire import outside, take_in  # noqa: F401 (a fixture)
from wallet.bank import column_mappings, waiting_tables
from wallet.bank import statements as bank
from wallet.models import BankEntry, BankFile, ReportToConfirm, TableMapping, WaitingTable
from wallet.reconciliation.report_confirmations import confirm_report

pytestmark = pytest.mark.django_db

# Nobody's names; day and month could be the other way round; no currency.
ODD = "Wann;Wieviel raus;Wieviel rein;Wozu\n03.02.2026;1.234,50;;Miete\n04.02.2026;;10,00;RF12 Zins\n"
NEXT = "Wann;Wieviel raus;Wieviel rein;Wozu\n05.02.2026;;2.000,00;mehr Zins\n"
SAID = {
    "column_0": "date",
    "column_1": "debit",
    "column_2": "credit",
    "column_3": "text",
    "header": "1",
    "order": "dmy",
    "decimal": ",",
    "currency": "EUR",
}


def upload(browser, outside, text, name="feb.csv"):
    file = SimpleUploadedFile(name, text.encode())
    return browser.post(reverse("wallet:bank_upload"), {"psp": outside.psp.pk, "file": file})


def test_an_unknown_table_waits_is_said_and_the_next_is_read_without_asking(cast, outside, browse):
    finance = browse(cast.finance)
    answer = upload(finance, outside, ODD)
    waiting = WaitingTable.objects.get()
    page = reverse("wallet:bank_table", args=[waiting.pk])
    assert (answer.status_code, answer["Location"], BankFile.objects.count()) == (302, page, 0)
    assert bytes(waiting.sealed_content) != ODD.encode(), "kept encrypted"
    assert "Wieviel raus" in finance.get(page).content.decode()
    looked = finance.post(page, {**SAID, "what": "look"}).content.decode()
    assert "1,234.50" in looked
    assert "2 entries in the file" in looked
    assert BankEntry.objects.count() == 0, "looking books nothing"
    finance.post(page, {**SAID, "what": "import"})
    assert BankEntry.objects.count() == 0, "nothing proves its end"
    confirm(cast)
    assert sorted(BankEntry.objects.values_list("amount_minor", "currency")) == [(-123_450, "EUR"), (1_000, "EUR")]
    assert (WaitingTable.objects.count(), TableMapping.objects.count()) == (0, 1)
    upload(finance, outside, NEXT, "march.csv")
    confirm(cast)
    assert BankEntry.objects.filter(amount_minor=200_000).exists()
    assert (WaitingTable.objects.count(), TableMapping.objects.get().files) == (0, 2)
    assert "2 files" in finance.get(reverse("wallet:bank_mappings")).content.decode()
    assert AuditEvent.objects.filter(action="wallet.bank_table_mapped").exists()


def confirm(cast):
    """A person says that the table that waits is complete (tests/wallet/statement_formats/test_statement_table_ends.py)."""
    confirm_report(waiting_id=ReportToConfirm.objects.get(state="waiting").pk, actor=cast.finance)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"column_0": ""}, "Select the booking date column"),
        ({"column_1": "", "column_2": ""}, "Select the amount column"),
        ({"currency": ""}, "Enter the currency of the amounts"),
        ({"currency": "E1"}, "t a currency code"),
        ({"column_3": "date"}, "Only one column can be “Booking date”"),
        ({"header": "900"}, "have this heading row"),
        ({"column_1": "amount", "column_2": ""}, None),
        ({"decimal": ".", "column_3": "amount", "column_1": "", "column_2": ""}, "is not an amount"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_kept(cast, outside, browse, change, words):
    finance = browse(cast.finance)
    upload(finance, outside, ODD)
    page = reverse("wallet:bank_table", args=[WaitingTable.objects.get().pk])
    answer = finance.post(page, {**SAID, **change, "what": "import"})
    if words is None:
        assert answer.status_code == 302
        return
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    typed = {name: value for name, value in {**SAID, **change}.items() if name in ("currency", "header")}
    assert [f'value="{value}"' in answer.content.decode() for value in typed.values()] == [True] * len(typed)
    assert (BankFile.objects.count(), TableMapping.objects.count(), WaitingTable.objects.count()) == (0, 0, 1)


def test_a_table_of_another_shape_is_asked_about(cast, outside, browse):
    finance = browse(cast.finance)
    upload(finance, outside, ODD)
    finance.post(reverse("wallet:bank_table", args=[WaitingTable.objects.get().pk]), {**SAID, "what": "import"})
    upload(finance, outside, ODD.replace("Wozu", "Wofür"))
    assert WaitingTable.objects.count() == 1


def test_names_that_everybody_knows_need_no_mapping(cast, outside):
    text = "date;amount;currency\n2026-02-13;5.00;EUR\n"
    bank.import_statement(psp_id=outside.psp.pk, file_name="a.csv", content=text.encode(), actor=None, is_complete=True)
    assert (BankEntry.objects.count(), WaitingTable.objects.count()) == (1, 0)
    with pytest.raises(column_mappings.MappingNeeded, match="Select a currency"):
        bank.import_statement(
            psp_id=outside.psp.pk, file_name="b.csv", content=b"date;amount\n2026-02-13;5.00\n", actor=None
        )


def test_a_waiting_table_is_thrown_away_and_a_mapping_forgotten(cast, outside, browse):
    finance = browse(cast.finance)
    upload(finance, outside, ODD)
    waiting = WaitingTable.objects.get()
    assert browse(cast.auditor).post(reverse("wallet:bank_table_discard", args=[waiting.pk])).status_code == 403
    finance.post(reverse("wallet:bank_table_discard", args=[waiting.pk]))
    assert not WaitingTable.objects.exists()
    upload(finance, outside, ODD)
    finance.post(reverse("wallet:bank_table", args=[WaitingTable.objects.get().pk]), {**SAID, "what": "import"})
    known = TableMapping.objects.get()
    assert browse(cast.auditor).post(reverse("wallet:bank_mapping_forget", args=[known.pk])).status_code == 403
    finance.post(reverse("wallet:bank_mapping_forget", args=[known.pk]))
    upload(finance, outside, NEXT)
    assert (TableMapping.objects.count(), WaitingTable.objects.count()) == (0, 1)


def test_the_pages_take_the_same_number_of_queries_however_much_is_known(
    cast, outside, browse, django_assert_max_num_queries
):
    finance = browse(cast.finance)
    for number in range(6):
        waiting_tables.keep_waiting(
            psp_id=outside.psp.pk,
            file_name=f"{number}.csv",
            actor=cast.finance,
            content=ODD.replace("Miete", f"M{number}").encode(),
        )
    finance.get(reverse("wallet:bank_mappings"))
    with django_assert_max_num_queries(20):
        finance.get(reverse("wallet:bank_mappings"))
    with django_assert_max_num_queries(22):
        finance.get(reverse("wallet:bank_table", args=[WaitingTable.objects.first().pk]))
