"""Help for each page of the menu, and the guided tour of each role: complete, in both languages, with links that work."""

import re

import pytest
from django.test import Client as Browser
from django.urls import get_resolver
from django.utils import translation

from crm.choices import Role, UserKind
from crm.models import NotificationChoice, User
from crm.ui import help as help_texts
from crm.ui import panels, tours
from crm.ui.panels import MenuEntry
from tests.cast import signed_in

TOPICS = help_texts.topics()


def test_each_page_of_the_menu_has_help_in_both_languages():
    named = {(topic.audience.value, page) for topic in TOPICS.values() for page in topic.pages}
    missing = [e.url_name for e in panels.registry.of(MenuEntry) if (e.audience, e.url_name) not in named]
    assert not missing, missing
    for topic in TOPICS.values():
        assert set(topic.texts) == {"en", "de"}, topic.slug
        for language, text in topic.texts.items():
            count = len(re.findall(r"\w+", text.source))
            assert not re.match("$|pages:|words:", text.title)
            assert 50 <= count <= 160, (topic.slug, language, count)


def everybody() -> User:
    return User(is_superuser=True, is_active=True, kind=UserKind.STAFF)


def test_each_link_of_the_help_and_each_page_it_names_exists():
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    for topic in TOPICS.values():
        for text in topic.texts.values():
            html = text.html_for(everybody())
            assert "<a" not in html or 'href="/' in html
            assert "](" not in html and "**" not in html and "`" not in html, topic.slug
        unknown = [p for p in topic.pages if ":" not in p and p not in names and not p.startswith(("mfa_", "user"))]
        assert not unknown, (topic.slug, unknown)


def test_help_is_plain_text_with_few_marks():
    text = help_texts.Text("T", "A <b> & **bold** `k`\n\n- [Leads](leads)\n- two")
    assert text.html_for(everybody()) == (
        "<p>A &lt;b&gt; &amp; <strong>bold</strong> <kbd>k</kbd></p>"
        '<ul><li><a href="/leads/">Leads</a></li><li>two</li></ul>'
    )


@pytest.mark.django_db
def test_help_links_only_where_the_reader_may_go(cast):
    page = signed_in(cast.finance).get("/help/my-day/").content.decode()
    assert 'href="/leads/"' not in page and "](" not in page and "Leads" in page
    assert 'href="/leads/"' in signed_in(cast.agent).get("/help/my-day/").content.decode()
    for user, is_linked in ((cast.agent, False), (cast.desk_head, True)):
        page = signed_in(user).get("/help/monitoring/").content.decode()
        assert ('href="/monitoring/alerts/"' in page) == is_linked


@pytest.mark.django_db
def test_the_question_mark_leads_to_the_help_of_the_page(cast):
    browser = signed_in(cast.finance)
    assert 'href="/help/withdrawals/"' in browser.get("/money/withdrawals/").content.decode()
    assert 'href="/help/staff/"' not in browser.get("/help/").content.decode()
    found = browser.get("/help/?q=chargeback").content.decode()
    assert 'href="/help/disputes/"' in found and 'href="/help/clients/"' not in found
    assert "Disputes" in browser.get("/palette/?q=chargeback").content.decode()
    panel = browser.get("/help/disputes/", headers={"HX-Request": "true"}).content.decode()
    assert panel.startswith("<article") and "Evidence" in panel.title()
    assert browser.get("/help/portal-home/").status_code == 404
    assert Browser().get("/help/").status_code == 302


@pytest.mark.django_db
def test_a_client_reads_their_own_help(cast):
    browser = signed_in(cast.client_user)
    assert 'href="/help/portal-home/"' in browser.get("/portal/").content.decode()
    assert browser.get("/help/ledger/").status_code == 404
    with translation.override("de"):
        assert help_texts.topics()["portal-home"].text.title == "Ihre Startseite"


def test_each_role_has_a_tour_of_pages_it_may_open():
    assert set(tours.STAFF_STEPS) == set(Role)
    for steps in (*tours.STAFF_STEPS.values(), tours.CLIENT_STEPS, tours.PARTNER_STEPS):
        assert 4 <= len(steps) <= 6
        assert all(step.url and step.selector and str(step.text).endswith(".") for step in steps)
    assert tours.steps_for(UserKind.STAFF, {Role.MLRO, Role.AGENT}) == tours.STAFF_STEPS[Role.AGENT]


@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role))
def test_each_page_of_a_tour_opens_for_its_role(cast, role):
    browser = signed_in(cast.staff()[role.value])
    for url in {step.url for step in tours.STAFF_STEPS[role]}:
        answer = browser.get(url, follow=True)  # a list may add its first filter
        assert (answer.status_code, answer.request["PATH_INFO"]) == (200, url)


@pytest.mark.django_db
def test_the_tour_is_offered_until_it_was_dismissed(cast):
    browser = signed_in(cast.agent)
    assert "k-tour-offer" in browser.get("/home/").content.decode()
    assert browser.post("/tour/", {"step": "0"}).url == "/home/"
    home = browser.get("/home/").content.decode()
    assert 'id="k-tour"' in home and "k-tour-offer" not in home
    assert browser.post("/tour/", {"step": "99"}).status_code == 400
    assert browser.post("/tour/", {"step": "x"}).status_code == 400
    browser.post("/tour/", {"step": "-1"})
    home = browser.get("/home/").content.decode()
    assert 'id="k-tour"' not in home and "k-tour-offer" not in home


@pytest.mark.django_db
def test_settings_are_saved_checked_and_reset(cast):
    browser = signed_in(cast.finance)
    page = browser.get("/notifications/settings/").content.decode()
    assert "PSPs not responding" in page and "New leads assigned to you" not in page
    data = {"summary_at": "08:00", "email:wallet.psp_down": "daily", "email:leads.assigned": "daily"}
    assert browser.post("/notifications/settings/", {**data, "quiet_from": "22:00"}).status_code == 422
    assert (
        browser.post("/notifications/settings/", {**data, "email:wallet.deposit_held": "telegram"}).status_code == 302
    )
    rows = dict(NotificationChoice.objects.filter(user=cast.finance).values_list("kind", "email"))
    assert rows["wallet.psp_down"] == "daily" and rows["wallet.deposit_held"] == "" and "leads.assigned" not in rows
    browser.post("/notifications/settings/", {"reset": "1"})
    assert not NotificationChoice.objects.exists()
