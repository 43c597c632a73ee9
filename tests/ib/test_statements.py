"""A partner's statement of a month: the figures of the settlement, names as partners see them, nobody else's."""

import pypdfium2
import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import AccessEvent
from ib import engine
from ib.models import SettlementPeriod
from ib.partner_pages import statements
from tests.ib.factories import NOON, make_trade
from tests.ib.test_pages import earned, settled

pytestmark = pytest.mark.django_db
__all__ = ["earned", "settled"]


@pytest.fixture
def period(settled):
    return SettlementPeriod.objects.get(starts_at__lte=NOON, ends_at__gt=NOON)


def file_of(browser, period, ending):
    return browser.get(reverse("partner_statement", args=[period.pk, ending]))


def text_of_pdf(content):
    document = pypdfium2.PdfDocument(content)
    return " ".join(page.get_textpage().get_text_bounded() for page in document)


def test_the_pdf_says_what_was_earned_and_credited(settled, period, browse):
    answer = file_of(browse(settled.sub.user), period, "pdf")
    text = text_of_pdf(answer.content)
    assert answer["Content-Type"] == "application/pdf" and period.name in answer["Content-Disposition"]
    assert "Commission statement" in text and "FX majors" in text and "€3.00" in text
    assert "Clara W." in text and "Weber" not in text and "clara@example.com" not in text
    assert AccessEvent.objects.filter(user=settled.sub.user, target=f"ib.statement:{period.pk}.pdf").exists()


def test_sections_add_up_to_the_settlement(settled, period):
    report = statements.statement_of(settled.sub, period)
    by_group, by_source, by_day, _payouts = (list(section.each_row()) for section in report.sections)
    assert [(row[0].code, row[1], row[2], row[3].amount) for row in by_group] == [("fx_majors", 1, 0.5, 3)]
    assert [(str(row[0]), row[3].amount) for row in by_source] == [("Clara W.", 3)]
    assert [(row[0], row[1], row[2], row[4].amount) for row in by_day] == [(NOON.date(), 1, 1, 3)]
    assert dict(report.facts)["Credited"].amount == 3


def test_clients_of_sub_partners_are_summed_up_by_the_partner(settled, period):
    report = statements.statement_of(settled.master, period)
    assert [str(row[0]) for row in report.sections[1].each_row()] == [f"Clients of {settled.sub}"]


def test_an_open_month_is_provisional(network, browse):
    engine.run_for_deals(deal_ids=[make_trade(network.account, at=timezone.now())])
    now = SettlementPeriod.objects.get(starts_at__lte=timezone.now(), ends_at__gt=timezone.now())
    facts = dict(statements.statement_of(network.sub, now).facts)
    assert "isn't settled yet" in facts["State"] and facts["Earned so far"].amount == 6 and "Credited" not in facts


def test_the_csv_has_each_trade_with_its_reason(settled, period, browse):
    answer = file_of(browse(settled.sub.user), period, "csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 3 and lines[0].startswith("Closed,Deal,Symbol")
    assert "Clara W." in lines[1] and lines[1].endswith("3.00000000,EUR") and "minimum holding time" in lines[2]


@pytest.mark.parametrize("ending", ["pdf", "csv"])
def test_another_brands_period_is_not_found(settled, cast, browse, ending):
    foreign = SettlementPeriod.objects.create(
        brand=cast.other_brand, name="2026-09", starts_at=NOON, ends_at=NOON + timezone.timedelta(days=1)
    )
    assert file_of(browse(settled.sub.user), foreign, ending).status_code == 404


def test_a_partner_without_trades_gets_an_empty_statement(settled, period, cast, browse):
    from tests.ib.factories import make_partner

    text = text_of_pdf(file_of(browse(make_partner(cast.brand).user), period, "pdf").content)
    assert "No trades" in text and "Clara" not in text
