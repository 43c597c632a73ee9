"""What every list has by declaration: quick filters, totals, stacking, previews, states changed in the row, views in words."""

import contextlib
import datetime as dt
import json
from decimal import Decimal

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.http import QueryDict
from django.utils import timezone, translation

from clients.choices import SalesStatus
from clients.models import Client
from clients.tables import ClientTable
from crm.models import AccessEvent, SavedView, User
from crm.ui import tables, totals
from crm.ui.columns import AgoColumn, BadgeColumn, Column, MoneyColumn
from crm.ui.people_columns import PersonColumn, country_html
from crm.ui.table_rows import places
from leads.tables import LeadTable
from tests.cast import make_client
from tests.wallet.factories import make_psp
from tests.wallet.intents import make_intent
from wallet.deposits.tables import DepositTable

pytestmark = pytest.mark.django_db


def table_of(kind, user, query=""):
    return kind(User.objects.get(pk=user.pk), QueryDict(query), path="/list/")


@pytest.fixture
def lead(cast):
    return make_client(
        brand=cast.brand, book=cast.book, email="lea@example.com", login=False, first_name="Lea", last_name="Keller"
    )


def test_a_quick_filter_sets_the_address_and_takes_it_back(cast):
    chips = {str(chip.label): chip for chip in table_of(LeadTable, cast.desk_head, "q=lea").quick_chips}
    assert chips["Never contacted"].url == "/list/?q=lea&is_contacted=0" and not chips["Never contacted"].is_on
    pressed = table_of(LeadTable, cast.desk_head, "q=lea&is_contacted=0")
    chips = {str(chip.label): chip for chip in pressed.quick_chips}
    assert chips["Never contacted"].is_on and chips["Never contacted"].url == "/list/?q=lea"
    assert [chip.is_quick for chip in pressed.chips] == [False, True], "the pressed chip shows it: it isn't said twice"
    assert pressed.filters_in_words == "Search: lea · Contacted: No"


def test_mine_is_offered_only_where_there_are_others(cast):
    assert "Mine" not in [str(chip.label) for chip in table_of(LeadTable, cast.agent).quick_chips]


def test_a_time_in_relation_to_now_stays_true(cast, lead):
    old = make_client(brand=cast.brand, book=cast.book, email="old@example.com", login=False)
    Client.objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(hours=30))
    found = lambda query: {row.pk for row in table_of(LeadTable, cast.agent, query).page.rows}  # noqa: E731
    assert found("received=today") == {lead.pk}
    assert found("is_contacted=0&received=over24h") == {old.pk}
    assert found("received=week") == {lead.pk, old.pk}


def test_rows_are_stacked_by_the_kind_of_column():
    columns = [
        Column("reference", "Reference", link=True),
        PersonColumn("client", "Client"),
        BadgeColumn("state", "State"),
        MoneyColumn("amount", "Amount"),
        AgoColumn("first", "First"),
        AgoColumn("last", "Last"),
    ]
    assert places(columns) == {"client": "name", "amount": "figure", "state": "state", "last": "when"}
    chosen = [*columns[:4], AgoColumn("first", "First", place="when"), AgoColumn("last", "Last")]
    assert places(chosen)["first"] == "when" and "last" not in places(chosen)


def test_people_have_initials_and_countries_flags(cast):
    html = table_of(ClientTable, cast.agent).body_html.split("</tr>")[0]
    assert 'data-initials="CW"' in html and "circle-flags/de.svg" in html and "Germany" in html
    with translation.override("de"):
        assert "Deutschland" in country_html("DE")
    assert "<img" not in country_html("<b") and "&lt;b" in country_html("<b")


def test_totals_are_of_all_that_match_by_currency(cast, django_assert_num_queries, monkeypatch):
    psp = make_psp(cast.brand)
    for amount, currency in ((10_000, "EUR"), (25_050, "EUR"), (7_000, "USD")):
        make_intent(cast.client, psp, amount, currency)
    wanted = {"EUR": Decimal("350.50"), "USD": Decimal(70)}
    whole = table_of(DepositTable, cast.finance)
    assert whole.totals.sums["amount_minor"] == wanted and not whole.totals.is_page
    assert "€350.50" in whole.foot_html and "$70.00" in whole.foot_html
    monkeypatch.setattr(DepositTable, "page_size", 2)
    cut = table_of(DepositTable, cast.finance)
    assert cut.body_html.count("<tr") == 2 and cut.estimate
    with django_assert_num_queries(1):
        assert cut.totals.sums["amount_minor"] == wanted
    monkeypatch.setattr(totals, "ROWS_MAX", 2)
    page = table_of(DepositTable, cast.finance)
    assert page.totals.is_page and "Total of this page" in page.foot_html


def test_every_total_can_be_added_up_in_the_database(cast):
    checked = 0
    scope = dict.fromkeys(
        ("partner_id", "client_id", "settlement_id", "account_id", "run_id", "import_id", "replay_id"), 1
    )
    for kind in tables._TABLES.values():
        columns = [column for column in kind.columns if isinstance(column, MoneyColumn) and column.total]
        if columns and kind.__module__.split(".")[0] != "tests":
            table = kind(User.objects.get(pk=cast.administrator.pk), scope=scope)
            with contextlib.suppress(ObjectDoesNotExist):  # a list of a record that isn't here
                assert totals._of_all(table, columns) is not None, kind.__name__
            checked += 1
    assert checked > 8


def test_a_preview_shows_the_record_and_is_logged_as_a_view(cast, browse):
    page = browse(cast.agent).get(f"/lists/clients/peek/{cast.client.pk}/").content.decode()
    assert "Clara Weber" in page and f'href="/clients/{cast.client.pk}/"' in page and "<html" not in page
    event = AccessEvent.objects.get(user=cast.agent, kind="view")
    assert (event.client_id, event.target, event.in_book) == (cast.client.pk, "clients.client:preview", True)


def test_a_preview_of_an_invisible_row_is_not_found_and_not_logged(cast, browse):
    assert browse(cast.agent).get(f"/lists/clients/peek/{cast.other_client.pk}/").status_code == 404
    assert browse(cast.administrator).get("/lists/ib.partner_clients/peek/1/").status_code == 404, "none is declared"
    assert browse(cast.marketing).get(f"/lists/withdrawals/peek/{cast.client.pk}/").status_code == 404
    assert not AccessEvent.objects.filter(kind="view").exists()


def move(browser, lead, to):
    answer = browser.post(f"/lists/leads/move/{lead.pk}/", {"column": "sales_status", "to": to, "query": ""})
    return answer, json.loads(answer.headers["HX-Trigger"])["k:toast"]


def test_a_status_is_changed_in_its_row_and_can_be_undone(cast, browse, lead):
    answer, notice = move(browse(cast.agent), lead, "no_answer")
    assert f'<tr data-id="{lead.pk}"' in answer.content.decode() and "No answer" in answer.content.decode()
    assert notice["title"] == "Status: No answer" and "undo" not in notice, "nobody is new again"
    _answer, notice = move(browse(cast.agent), lead, "contacted")
    assert notice["undo"]["values"]["to"] == "no_answer"
    lead.refresh_from_db()
    assert lead.sales_status == SalesStatus.CONTACTED


def test_a_refused_change_keeps_the_old_value_and_says_why(cast, browse, lead):
    Client.objects.filter(pk=lead.pk).update(sales_status="do_not_call")  # by somebody else, meanwhile
    for to in ("contacted", "converted", "nonsense"):
        answer, notice = move(browse(cast.agent), lead, to)
        assert answer.status_code == 200 and "Do not call" in answer.content.decode()
        assert notice["tone"] == "danger" and notice["body"]
    lead.refresh_from_db()
    assert lead.sales_status == SalesStatus.DO_NOT_CALL


def test_rows_are_as_high_as_the_person_chose(cast, browse):
    browser = browse(cast.agent)
    assert browser.post("/lists/density/", {"density": "comfortable"}).status_code == 204
    assert 'data-density="comfortable"' in browser.get("/clients/").content.decode()
    browser.post("/lists/density/", {"density": "compact"})
    assert "data-density" not in browser.get("/clients/").content.decode()


def test_a_list_opens_with_the_view_of_ones_choice(cast, browse):
    view = SavedView.objects.create(owner=cast.agent, table="leads", name="Hot", query="sales_status=interested")
    browser = browse(cast.agent)
    browser.post("/lists/leads/default/", {"view": view.pk, "path": "/leads/"})
    opened = browser.get("/leads/")
    assert opened.url == f"/leads/?sales_status=interested&view={view.pk}"
    page = browser.get(opened.url).content.decode()
    assert "Status: Interested" in page and 'href="/leads/?view=all"' in page
    assert browser.get("/leads/?view=all").status_code == 200
    other = SavedView.objects.create(owner=cast.other_agent, table="leads", name="Theirs", query="")
    assert browser.post("/lists/leads/default/", {"view": other.pk, "path": "/leads/"}).status_code == 404
