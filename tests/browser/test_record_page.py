"""The client's page in a real browser: a fact is edited where it stands, from the keyboard."""

from playwright.sync_api import expect

from clients.models import Client
from crm.models import AuditEvent
from tests.browser.people import enter


def changes(client):
    return AuditEvent.objects.filter(client_id=client.pk, action="clients.profile_changed").count()


def test_enter_saves_a_fact_and_the_header_follows(page, cast):
    enter(page, cast.agent)
    page.goto(f"/clients/{cast.client.pk}/")
    page.get_by_role("link", name="Edit Name").focus()
    page.keyboard.press("Enter")
    first = page.get_by_label("First name")
    expect(first).to_be_focused()
    expect(first).to_have_value("Clara")
    first.fill("Klara")
    page.keyboard.press("Enter")
    expect(page.locator("#fact-name .value")).to_have_text("Klara Weber")
    expect(page.get_by_role("heading", level=1)).to_have_text("Klara Weber")
    expect(page.get_by_text("Name saved.")).to_be_visible()
    expect(page.get_by_role("link", name="Edit Name")).to_be_focused()
    assert Client.objects.get(pk=cast.client.pk).first_name == "Klara" and changes(cast.client) == 1


def test_an_error_stays_at_the_field_and_esc_gives_up(page, cast):
    enter(page, cast.agent)
    page.goto(f"/clients/{cast.client.pk}/")
    before = page.locator("#fact-zone .value").inner_text()
    page.get_by_role("link", name="Edit Time zone").click()
    field = page.locator("#fact-zone input[name=time_zone]")
    expect(field).to_be_focused()
    field.fill("Mars/Base")
    page.keyboard.press("Enter")
    expect(page.locator("#fact-zone").get_by_text("Enter a time zone such as")).to_be_visible()
    expect(field).to_have_value("Mars/Base")
    field.focus()
    page.keyboard.press("Escape")
    expect(page.locator("#fact-zone form")).to_have_count(0)
    expect(page.locator("#fact-zone .value")).to_have_text(before)
    assert changes(cast.client) == 0


def test_the_next_step_opens_its_dialog(page, cast):
    enter(page, cast.agent)
    page.goto(f"/clients/{cast.client.pk}/")
    page.locator(".c-step.first .btn").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Template")).to_have_value("kyc.documents_missing")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Create").click()
    page.locator(".c-actions").get_by_role("link", name="Note", exact=True).click()
    expect(page.get_by_role("dialog").locator("textarea[name=body]")).to_be_visible()
