"""A partner's statement: the figures of the settlement, names as partners see them, nobody else's."""

import pypdfium2
import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import AccessEvent
from ib import engine
from ib.models import Settlement
from ib.partner_pages import statements
from ib.partner_pages.statements import Statement
from tests.ib.factories import NOON, make_partner, make_trade
from tests.ib.test_pages import earned, settled

pytestmark = pytest.mark.django_db
__all__ = ["earned", "settled"]


@pytest.fixture
def row(settled):
    return Settlement.objects.get(partner=settled.sub)


def file_of(browser, row, ending):
    return browser.get(reverse("partner_statement", args=[row.pk, ending]))


def text_of_pdf(content):
    document = pypdfium2.PdfDocument(content)
    return " ".join(page.get_textpage().get_text_bounded() for page in document)


def test_the_pdf_says_what_was_earned_and_credited(settled, row, browse):
    answer = file_of(browse(settled.sub.user), row, "pdf")
    text = text_of_pdf(answer.content)
    assert answer["Content-Type"] == "application/pdf" and row.name in answer["Content-Disposition"]
    assert "Commission statement" in text and "FX majors" in text and "€3.00" in text
    assert "Clara W." in text and "Weber" not in text and "clara@example.com" not in text
    assert AccessEvent.objects.filter(user=settled.sub.user, target=f"ib.statement:{row.pk}.pdf").exists()


def test_sections_add_up_to_the_settlement(settled, row):
    report = statements.statement_of(Statement(settled.sub, row))
    by_group, by_source, by_day, _payouts = (list(section.each_row()) for section in report.sections)
    assert [(row[0].code, row[1], row[2], row[3].amount) for row in by_group] == [("fx_majors", 1, 0.5, 3)]
    assert [(str(row[0]), row[3].amount) for row in by_source] == [("Clara W.", 3)]
    assert [(row[0], row[1], row[2], row[4].amount) for row in by_day] == [(NOON.date(), 1, 1, 3)]
    assert dict(report.facts)["Credited"].amount == 3


def test_clients_of_sub_partners_are_summed_up_by_the_partner(settled):
    row = Settlement.objects.get(partner=settled.master)
    report = statements.statement_of(Statement(settled.master, row))
    assert [str(row[0]) for row in report.sections[1].each_row()] == [f"Clients of {settled.sub}"]


def test_what_is_not_settled_yet_is_a_provisional_statement(settled, browse):
    engine.run_for_deals(deal_ids=[make_trade(settled.account, at=timezone.now())])
    facts = dict(statements.statement_of(Statement(settled.sub)).facts)
    assert "not settled yet" in facts["State"] and facts["Earned so far"].amount == 6 and "Credited" not in facts
    answer = browse(settled.sub.user).get(reverse("partner_open_statement", args=["csv"]))
    assert len(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()) == 2


def test_the_csv_has_each_trade_with_its_reason(settled, row, browse):
    answer = file_of(browse(settled.sub.user), row, "csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 3 and lines[0].startswith("Closed,Deal,Symbol")
    assert "Clara W." in lines[1] and lines[1].endswith("3.00000000,EUR") and "minimum holding time" in lines[2]


@pytest.mark.parametrize("ending", ["pdf", "csv"])
def test_another_partners_statement_is_not_found(settled, row, cast, browse, ending):
    assert file_of(browse(make_partner(cast.brand).user), row, ending).status_code == 404


def test_a_partner_without_trades_gets_an_empty_statement(settled, cast, browse):
    answer = browse(make_partner(cast.brand).user).get(reverse("partner_open_statement", args=["pdf"]))
    text = text_of_pdf(answer.content)
    assert "No trades" in text and "Clara" not in text


def test_staff_download_the_partners_statement(settled, row, cast, browse):
    answer = browse(cast.finance).get(reverse("ib_statement", args=[row.pk, "csv"]))
    assert len(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()) == 3
