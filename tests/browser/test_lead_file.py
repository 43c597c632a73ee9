"""A file of leads becomes a campaign's return: uploaded, checked and imported by sales, its cost imported by marketing."""

import datetime as dt

from django.utils import timezone
from playwright.sync_api import expect

from clients.models import Client
from leads.models import Campaign, Lead
from reports import upkeep
from risk.dealing.models import ClientRouting
from tests.browser.people import enter
from tests.trading.factories import make_account, make_server
from trading.models import AccountResult

LEADS = (
    "First name,Last name,E-mail,Phone,Country,Campaign\n"
    "Hans,Meier,hans@web.de,0151 23456789,DE,de-search\n"
    "Lena,Huber,lena@web.de,0664 1234567,Atlantis,de-search\n"
    "Jan,Bauer,jan@web.de,,AT,de-search\n"
)


def lose(client: Client, cast) -> None:
    """360 lost by trading and 40 charged, by a client of whose trades half are passed on: 220 are the company's."""
    account, day = make_account(client, make_server()), timezone.now().date()
    for period, start in (("d", day), ("w", day - dt.timedelta(days=day.weekday())), ("m", day.replace(day=1))):
        fields = {"trades": 1, "wins": 0, "lots": 1, "net": -400, "net_base": -400, "charges_base": -40}
        AccountResult.objects.create(account=account, period=period, start=start, **fields)
    ClientRouting.objects.create(
        client=client,
        book="split",
        passed_percent=50,
        reason="Wins on news",
        state="approved",
        requested_by=cast.finance,
        requested_at=timezone.now() - dt.timedelta(days=2),
        decided_by=cast.second_finance,
        decided_at=timezone.now() - dt.timedelta(days=2),
    )


def test_a_file_of_leads_shows_what_its_campaign_returned(page, open_page, cast, background):
    Campaign.objects.create(brand=cast.brand, code="de-search", name="German search", source="google")
    enter(page, cast.desk_head)
    page.goto("/leads/imports/new/")
    page.set_input_files("input[name=file]", {"name": "l.csv", "mimeType": "text/csv", "buffer": LEADS.encode()})
    page.get_by_role("button", name="Check file").click()
    expect(page.get_by_text("3 rows")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Import 2 leads").click()
    expect(page.locator("#main .k-badge", has_text="Imported").first).to_be_visible()
    page.goto(page.url + "?verdict=wrong")
    expect(page.get_by_text("Unknown country")).to_be_visible()
    assert Lead.objects.count() == 2

    lose(Client.objects.get(email="hans@web.de"), cast)
    upkeep.refresh()
    marketing = open_page()
    enter(marketing, cast.marketing)
    marketing.goto("/campaigns/spend/import/")
    spend = f"Day,Campaign,Cost\n{timezone.localdate()},de-search,50\n".encode()
    marketing.set_input_files("input[name=file]", {"name": "s.csv", "mimeType": "text/csv", "buffer": spend})
    marketing.get_by_role("button", name="Import spend").click()
    expect(marketing.get_by_text("Spend of 1 campaign imported: €50.00.")).to_be_visible()
    marketing.goto("/campaigns/returns/?period=7")
    row = marketing.locator("tr", has_text="German search")
    expect(row).to_contain_text("€25.00")
    expect(row).to_contain_text("−€50")
    expect(row).to_contain_text("€220")
    expect(row).to_contain_text("340 %")
    row.get_by_role("link", name="German search").click()
    expect(marketing.locator(".k-kpis")).to_contain_text("€220")
    expect(marketing.locator(".k-kpis")).to_contain_text("340 %")
