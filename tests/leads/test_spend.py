"""Spend by day: by hand, and from the exports of ad networks, whole or not at all."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent, FxRate
from leads.models import Campaign, CampaignSpend
from leads.spend.recording import enter_spend, import_spend
from tests.reports.test_reports import text_of

pytestmark = pytest.mark.django_db
# The shapes of real exports: title and period above and totals below (Google), a line of totals first (Meta).
GOOGLE = """Campaign report
"September 1, 2026 - September 3, 2026"
Day,Campaign,Campaign ID,Currency code,Cost,Impr.,Clicks,Conversions
2026-09-01,Brand search,111,EUR,"1,204.50","48,210","1,930",96.00
2026-09-01,Brand search,111,EUR,10.00,100,10,1.00
2026-09-02,Generic,112,EUR, --,5,1,0
2026-09-03,autumn,113,EUR,0.25,5,1,0
Total: Campaigns, --, --,EUR,"1,214.75","48,320",1941,97.00
"""
META = """Reporting starts,Reporting ends,Campaign name,Amount spent (USD),Impressions,Country
2026-09-01,2026-09-02,,150,2000,
2026-09-01,2026-09-01,Lookalike | DE,100.00,1000,DE
2026-09-01,2026-09-01,Lookalike | DE,40.00,1000,AT
2026-09-02,2026-09-02,lookalike | de,10.00,1000,unknown
"""
GERMAN = "Kampagnenname;Tag;Ausgegebener Betrag (EUR);Land\nAutumn;01.09.2026;1.234,56;Österreich\n"


@pytest.fixture
def world(cast):
    cast.autumn = Campaign.objects.create(
        brand=cast.brand, code="autumn", name="Autumn", network_names=["Brand search", "112", "Lookalike | DE"]
    )
    cast.other = Campaign.objects.create(brand=cast.brand, code="other", name="Other")
    FxRate.objects.create(currency="USD", on=dt.date(2026, 8, 31), rate=Decimal("1.25"), source="test")
    return cast


def take(world, text, name="spend.csv", actor=None):
    content = text if isinstance(text, bytes) else text.encode()
    return import_spend(actor=actor or world.marketing, brand=world.brand, file_name=name, content=content)


def stored():
    rows = CampaignSpend.objects.order_by("day", "country")
    return [(row.day.day, row.network, row.country, row.amount, row.charged_currency) for row in rows]


def test_an_export_of_google_is_read_below_its_title(world):
    result = take(world, GOOGLE)
    assert (result.new, result.campaigns, result.total) == (3, 1, Decimal("1214.75"))
    assert stored() == [
        (1, "google", "", Decimal("1214.50"), "EUR"),
        (2, "google", "", Decimal(0), "EUR"),
        (3, "google", "", Decimal("0.25"), "EUR"),
    ]
    # As its button "Excel CSV" writes it.
    again = take(world, GOOGLE.encode("utf-16"))
    assert (again.new, again.changed, again.same, again.removed) == (0, 0, 3, 0)


def test_an_export_of_meta_is_converted_and_replaces_its_days(world):
    take(world, META)
    assert stored() == [
        (1, "meta", "AT", Decimal(32), "USD"),
        (1, "meta", "DE", Decimal(80), "USD"),
        (2, "meta", "", Decimal(8), "USD"),
    ]
    less = META.replace("2026-09-01,2026-09-01,Lookalike | DE,40.00,1000,AT\n", "").replace("100.00", "50.00")
    result = take(world, less)
    assert (result.changed, result.same, result.removed) == (1, 1, 1)
    assert stored() == [(1, "meta", "DE", Decimal(40), "USD"), (2, "meta", "", Decimal(8), "USD")]


def test_a_german_export_is_read_with_its_decimal_mark(world):
    take(world, GERMAN)
    assert stored() == [(1, "meta", "AT", Decimal("1234.56"), "EUR")]


@pytest.mark.parametrize(
    "text",
    [
        "Inicio del informe,Fin del informe,Nombre de la campaña,País,Importe gastado (EUR),Impresiones\n"
        '2026-09-01,2026-09-01,Autumn,AT,"1.234,56",1.204\n',
        "Día,Campaña,Código de moneda,País,Coste\n01/09/2026,Autumn,EUR,Austria,1234.56\nTotal: campañas,,EUR,,1234.56\n",
        "Jour;Nom de la campagne;Montant dépensé (EUR);Pays\n01/09/2026;Autumn;1 234,56;AT\n",
    ],
)
def test_spanish_and_french_exports_are_read(world, text):
    take(world, text)
    assert [(day, country, amount) for day, _by, country, amount, _in in stored()] == [(1, "AT", Decimal("1234.56"))]


def test_wrong_rows_are_named_by_line_and_column_and_nothing_is_taken(world):
    text = (
        "Date,Campaign,Spend,Currency\n2026-09-01,autumn,10,EUR\n01/09/2026,autumn,10,EUR\n2026-09-02,nowhere,5,EUR\n"
        "2026-09-03,autumn,ten,EUR\n2999-01-01,autumn,1,EUR\n2026-09-04,autumn\n"
    )
    with pytest.raises(DomainError) as refused:
        take(world, text)
    assert refused.value.reasons == [
        "Nothing was imported.",
        "Line 3, Date: Write the day as year-month-day, for example 2026-09-30.",
        "Line 5, Spend: “ten” isn't an amount.",
        "Line 6, Date: The day is in the future or before 2000.",
        "Line 7: The row has 2 values, but the file has 4 columns.",
    ]
    cases = {
        "Day,Campaign,Cost\n2026-09-02,nowhere,5\n": "Line 2, Campaign: No campaign is called “nowhere”.",
        "Day,Campaign,Cost,Currency\n2026-09-02,autumn,5,XXX\n": "Line 2, Currency: No exchange rate for XXX",
        "Reporting starts,Reporting ends,Campaign name,Amount spent (EUR)\n2026-09-01,2026-09-30,autumn,5\n": (
            "Line 2, Reporting ends: The row covers several days."
        ),
        "Campaign,Cost\nautumn,5\n": "Export it with a breakdown by day.",
        "Day,Clicks\n2026-09-01,5\n": "needs the columns Day, Campaign and Cost",
        "Day,Campaign,Cost\n": "no rows with a campaign",
        "": "The file is empty.",
    }
    for content, message in cases.items():
        with pytest.raises(DomainError) as refused:
            take(world, content)
        assert message in " ".join(refused.value.reasons), content
    assert not CampaignSpend.objects.exists()


def test_entered_spend_is_spread_replaced_and_audited(world):
    first, last = dt.date(2026, 9, 1), dt.date(2026, 9, 3)

    def enter(amount, actor=world.marketing, last=last):
        return enter_spend(actor=actor, campaign_id=world.autumn.pk, first=first, last=last, amount=Decimal(amount))

    assert enter("100") == 3
    assert [row[3] for row in stored()] == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]
    enter("30", last=first)
    assert [row[3] for row in stored()] == [Decimal(30), Decimal("33.33"), Decimal("33.33")]
    enter(0)
    assert stored() == []
    assert AuditEvent.objects.filter(action="leads.spend_entered").count() == 3
    for who in (world.agent, world.auditor):
        with pytest.raises(NotAllowed):
            enter("5", actor=who)
    with pytest.raises(DomainError, match="up to today"):
        enter("5", last=dt.date(2999, 1, 1))


def test_the_pages_take_a_file_and_show_what_is_wrong_with_it(world, browse):
    browser, address = browse(world.marketing), reverse("campaign_spend_import")
    wrong = SimpleUploadedFile("spend.csv", b"Day,Campaign,Cost\n2026-09-01,nowhere,5\n")
    answer = browser.post(address, {"brand": world.brand.pk, "file": wrong})
    assert answer.status_code == 422 and "Line 2, Campaign" in text_of(answer)
    answer = browser.post(address, {"brand": world.brand.pk, "file": SimpleUploadedFile("s.csv", META.encode())})
    assert answer.status_code == 302
    text = text_of(browser.get(answer.url))
    for shown in ("Spend of 1 campaign imported: €120.00.", "Lookalike | DE", "€80.00", "Germany", "Meta Ads"):
        assert shown in text, shown
