"""Lists in a real browser: sorting and paging without reload, back and forward, keyboard, filters, views, columns, selection."""

import re

import pytest
from playwright.sync_api import expect

from crm.models import SavedView, User
from tests.browser.people import enter

ROWS = "#t-staff tbody tr"


@pytest.fixture
def staff(cast):
    """Seventy colleagues, so that the list has two pages."""
    User.objects.bulk_create(
        User(username=f"c{n:02}@m.example", email=f"c{n:02}@m.example", last_name=f"Colleague {n:02}", brand=cast.brand)
        for n in range(70)
    )
    return cast


@pytest.fixture
def listed(page, staff):
    enter(page, staff.administrator)
    page.goto("/staff/")
    page.evaluate("window.stayed = true")
    return page


def names(page) -> list[str]:
    return page.locator(f"{ROWS} td:nth-child(1)").all_inner_texts()


def test_sorting_and_paging_change_the_address_but_not_the_page(listed):
    page = listed
    page.get_by_role("link", name="E-mail").click()
    page.wait_for_url("**sort=email*")
    expect(page.locator("th.sorted")).to_contain_text("E-mail")
    first = names(page)
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**cursor=*")
    expect(page.locator("[data-page=previous]")).to_be_visible()
    second = names(page)
    assert len(first) == 50 and not set(first) & set(second)
    assert page.evaluate("window.stayed") is True
    page.get_by_role("link", name="Previous").click()
    expect(page.locator("[data-page=previous]")).to_have_count(0)
    assert names(page) == first


def test_back_leads_to_the_list_as_it_was(listed):
    page = listed
    page.get_by_role("link", name="E-mail").click()
    page.wait_for_url("**sort=email*")
    page.go_back()
    page.wait_for_url(re.compile(r"/staff/$"))
    expect(page.locator("th.sorted")).to_contain_text("Name")
    expect(page.locator("#t-staff")).to_have_count(1)


def test_the_keyboard_moves_opens_and_turns_pages(listed):
    page = listed
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    expect(page.locator(f"{ROWS}.cursor")).to_have_count(1)
    assert page.locator(ROWS).first.get_attribute("class") == "cursor"
    page.keyboard.press("n")
    page.wait_for_url("**cursor=*")
    page.keyboard.press("p")
    expect(page.locator("[data-page=previous]")).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/staff/\d+/"))


def test_typing_searches_and_keeps_the_cursor_in_the_box(listed):
    page = listed
    page.keyboard.press("/")
    page.keyboard.type("colleague 07", delay=30)
    expect(page.locator(ROWS)).to_have_count(1)
    page.wait_for_url("**q=colleague+07*")
    expect(page.locator(".search input")).to_be_focused()
    page.locator(".k-chip a").click()
    expect(page.locator(ROWS)).to_have_count(50)


def test_filters_narrow_show_as_chips_and_can_be_saved_as_a_view(listed, staff):
    page = listed
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Role").select_option("finance")
    expect(page.locator(".k-chip")).to_contain_text("Finance")
    count = page.locator(ROWS).count()
    assert 0 < count < 10
    page.get_by_role("button", name="Columns and saved views").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Money people")
    page.get_by_role("button", name="Save view").click()
    page.wait_for_url("**view=*")
    expect(page.locator(".k-views .active")).to_contain_text("Money people")
    assert SavedView.objects.get().query == "role=finance"
    page.locator(".k-views").get_by_role("link", name="All").click()
    expect(page.locator(ROWS)).to_have_count(50)
    page.locator(".k-views").get_by_role("link", name="Money people").click()
    expect(page.locator(ROWS)).to_have_count(count)


def test_a_choice_of_several_stays_open_while_boxes_are_ticked(page, staff):
    enter(page, staff.desk_head)
    page.goto("/clients/")
    page.get_by_role("button", name="Filters").click()
    several = page.locator("details.k-several")
    several.locator("summary").click()
    several.get_by_label("Lead").check()
    expect(page.locator(".k-chip")).to_contain_text("Lead")
    several.get_by_label("Registered").check()
    expect(page.locator(".k-chip")).to_contain_text("Registered")
    assert "stage=lead&stage=registered" in page.url
    expect(several.locator("summary")).to_have_text("Lead, Registered")
    page.keyboard.press("Escape")
    expect(several.get_by_label("Lead")).to_be_hidden()


def test_columns_are_chosen_in_the_dialog(listed):
    page = listed
    expect(page.locator("th", has_text="Desk")).to_have_count(1)
    page.get_by_role("button", name="Columns and saved views").click()
    dialog = page.locator("#k-fill")
    dialog.get_by_label("Desk").uncheck()
    dialog.get_by_role("button", name="Apply columns").click()
    expect(page.locator("th", has_text="Desk")).to_have_count(0)
    page.goto("/staff/")
    expect(page.locator("th", has_text="Desk")).to_have_count(0)


def test_an_error_of_the_dialog_stays_in_the_dialog(listed):
    page = listed
    page.get_by_role("button", name="Columns and saved views").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("   ")
    page.get_by_role("button", name="Save view").click()
    expect(page.locator("#k-fill")).to_contain_text("Enter a name for the view")


def test_a_list_fits_a_phone(phone, staff):
    enter(phone, staff.administrator)
    phone.goto("/staff/")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.locator(".k-scroll").evaluate("box => box.scrollWidth <= box.clientWidth"), "its rows are stacked"


def test_selecting_shows_the_bar_and_asks_before_acting(page, cast):
    import datetime as dt

    from crm.models import EventDelivery, OutboxEvent

    event = OutboxEvent.objects.create(name="crm.test", payload={})
    now = dt.datetime.now(dt.UTC)
    for n in range(3):
        EventDelivery.objects.create(event=event, handler=f"h{n}", state="dead", due_at=now, finished_at=now)
    enter(page, cast.administrator)
    page.goto("/events/")
    bar = page.locator(".k-bulk")
    expect(bar).to_be_hidden()
    page.locator("tbody .pick input").first.check()
    expect(bar).to_contain_text("1 selected")
    page.locator("thead .pick input").check()
    expect(bar).to_contain_text("3 selected")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="Send again").click()
    expect(page.locator(".k-messages")).to_contain_text("2 events sent again")
    assert EventDelivery.objects.filter(state="pending").count() == 2


def test_a_confirmation_can_be_declined(page, cast):
    import datetime as dt

    from crm.models import EventDelivery, OutboxEvent

    now = dt.datetime.now(dt.UTC)
    event = OutboxEvent.objects.create(name="crm.test", payload={})
    row = EventDelivery.objects.create(event=event, handler="h", state="dead", due_at=now, finished_at=now)
    enter(page, cast.administrator)
    page.goto(f"/events/{row.pk}/")
    page.get_by_label("Why it's safe").fill("A test")
    page.get_by_role("button", name="Skip event").click()
    expect(page.locator("#k-confirm")).to_contain_text("Its handler will never see it")
    page.locator("#k-confirm").get_by_role("button", name="Cancel").click()
    row.refresh_from_db()
    assert row.state == "dead"
    page.get_by_role("button", name="Skip event").click()
    page.locator("#k-confirm [data-yes]").click()
    page.wait_for_url("**/events/")
    row.refresh_from_db()
    assert row.state == "skipped"


def test_a_bulk_action_waits_for_its_choice_and_keeps_the_selection_when_refused(page, cast):
    """Nothing is sent before somebody is chosen; what the server then refuses is said above the list as it was."""
    enter(page, cast.desk_head)
    page.goto("/clients/")
    picks = page.locator("tbody .pick input")
    picks.first.check()
    move = page.get_by_role("button", name="Move to another book")
    expect(move).to_be_disabled()
    book = page.locator(".k-bulk select[name=book]")
    book.select_option(index=1)
    expect(move).to_be_enabled()
    page.evaluate("document.querySelector('.k-bulk select[name=book] option:checked').value = '999999999'")
    move.click()
    expect(page.locator(".k-messages .tone-danger")).to_be_visible()
    expect(picks.first).to_be_checked()
    expect(page.locator(".k-bulk [data-count]")).to_have_text("1")
