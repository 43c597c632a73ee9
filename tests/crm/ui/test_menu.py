"""The menu in two steps: what each role sees, unique names and icons, counts of one's own queues, favourites, the "+"."""

from collections import Counter

import pytest
from django.utils import translation

from crm.choices import Role
from crm.errors import DomainError
from crm.models import User
from crm.ui import favourites, menu, panels
from crm.ui.preferences import set_preference

pytestmark = pytest.mark.django_db
DESK = {"Dealing", "Exposure", "Margin", "Currency exchanges", "Exchange rates", "Platform health"}
GROUP_ENTRIES_MAX = 8
# Roles, rights, reach, and one for each queue of the person's own.
MENU_QUERIES = 12


def labels(user) -> set[str]:
    return {str(link.entry.label) for section in menu.menu_for(user) for link in section.entries}


def test_no_two_entries_of_a_role_share_a_name_or_an_icon(cast):
    shared = []
    for role, user in cast.staff().items():
        links = menu.links_for(user)
        for language in ("en", "de"):
            with translation.override(language):
                named = Counter(str(link.entry.label) for link in links)
                shared += [f"{role} {language}: {name}" for name, number in named.items() if number > 1]
        drawn = Counter(link.entry.icon for link in links)
        shared += [f"{role}: {icon}" for icon, number in drawn.items() if number > 1]
    areas = Counter(area.icon for area in menu.AREAS.values())
    assert not shared
    assert max(areas.values()) == 1


def test_every_entry_is_in_a_known_area_and_group():
    entries = [entry for entry in panels.registry.of(panels.MenuEntry) if entry.audience == "staff"]
    assert len(entries) > 60
    for entry in entries:
        assert entry.group in {"", *menu.AREAS[entry.section].groups}, entry
        assert set(entry.roles) <= set(Role.values), entry


def test_each_role_sees_what_its_work_needs(cast):
    for agent in (cast.agent, cast.retention):
        assert not labels(agent) & DESK
        assert labels(agent) >= {"My day", "Leads", "Clients", "Deposits", "Trading accounts"}
        assert len(labels(agent)) <= 15
    assert labels(cast.finance) >= {"Pending withdrawals", "Month-end", "Exposure", "Exchange rates"}
    assert labels(cast.mlro) >= {"Possible matches", "Audit log", "Ledger", "Dealing"}
    assert not labels(cast.mlro) & {"Month-end", "Webhook inbox", "Exchange rates"}
    assert labels(cast.support) >= {"Margin", "Account requests"}
    # A page takes one step on the rail and one in its area: no column is longer than a screen.
    for role, user in cast.staff().items():
        sections = menu.menu_for(user)
        assert len(sections) <= 9, role
        assert max(len(section.entries) for section in sections) <= 24, role
        for section in sections:
            long = [str(label) for label, links in section.groups if len(links) > GROUP_ENTRIES_MAX]
            assert not long, f"{role}: {section.slug} {long}"


def test_large_areas_have_a_second_level(cast):
    groups = {section.slug: section.groups for section in menu.menu_for(cast.administrator)}
    assert [str(label) for label, _links in groups["money"]] == ["Payments", "Books", "Reconciliation"]
    assert [str(label) for label, _links in groups["trading"]] == ["", "Dealing desk", "Platforms"]
    assert [str(label) for label, _links in groups["partners"]] == ["", "Commissions", "Promotion"]
    assert [(str(label), len(links)) for label, links in groups["setup"]] == [
        ("Company", 5),
        ("People", 5),
        ("Clients and leads", 5),
        ("Money", 3),
        ("Trading", 4),
        ("System", 2),
    ]
    # One group alone needs no heading.
    agents = {section.slug: section.groups for section in menu.menu_for(cast.agent)}
    assert [str(label) for label, _links in agents["money"]] == [""]


def test_the_palette_finds_pages_that_the_menu_leaves_out(browse, cast):
    assert "Dealing" not in labels(cast.agent)
    page = browse(cast.agent).get("/palette/", {"q": "dealing"}).content.decode()
    assert 'href="/trading/dealing/"' in page
    assert browse(cast.agent).get("/trading/dealing/").status_code == 200


def test_counts_are_of_ones_own_queues_and_few_queries(cast, django_assert_max_num_queries):
    def counted(user) -> set[str]:
        links = [link for section in menu.menu_for(user) for link in section.entries]
        return {
            str(link.entry.label)
            for link in links
            if link.entry.count and panels.allows(link.entry.count_permission, user)
        }

    assert counted(cast.auditor) == set()
    assert counted(cast.agent) == {"My day", "Leads", "Chats", "E-mail threads", "Tickets"}
    assert "Possible matches" in counted(cast.mlro)
    assert "Platform breaks" in counted(cast.finance)
    for user in cast.staff().values():
        fresh = User.objects.get(pk=user.pk)
        with django_assert_max_num_queries(MENU_QUERIES):
            assert all(section.count >= 0 for section in menu.menu_for(fresh))


# ---------------------------------------------------------------- favourites


def names(user) -> list[str]:
    return [str(link.entry.label) for link in favourites.favourites_of(user)]


def test_favourites_are_pinned_ordered_and_unpinned(cast):
    for page in ("clients", "wallet:deposits", "leads", "clients"):
        favourites.pin_page(user=cast.agent, page=page)
    assert names(cast.agent) == ["Clients", "Deposits", "Leads"]
    favourites.order_favourites(user=cast.agent, pages=["leads", "wallet:deposits", "staff", "leads", "clients"])
    assert names(User.objects.get(pk=cast.agent.pk)) == ["Leads", "Deposits", "Clients"]
    favourites.unpin_page(user=cast.agent, page="wallet:deposits")
    assert names(cast.agent) == ["Leads", "Clients"]
    assert names(cast.other_agent) == []


def test_a_page_without_the_right_is_not_pinned_and_not_shown(cast):
    with pytest.raises(DomainError):
        favourites.pin_page(user=cast.agent, page="staff")
    set_preference(user=cast.agent, section="menu", key="favourites", value=["staff", "clients"])
    assert names(cast.agent) == ["Clients"]
    favourites.pin_page(user=cast.agent, page="leads")
    assert favourites.pinned(cast.agent) == ["clients", "leads"]


def test_favourites_have_a_limit(cast):
    pages = [link.entry.url_name for link in menu.links_for(cast.administrator)]
    for page in pages[: favourites.FAVOURITES_MAX]:
        favourites.pin_page(user=cast.administrator, page=page)
    with pytest.raises(DomainError, match="up to 10"):
        favourites.pin_page(user=cast.administrator, page=pages[favourites.FAVOURITES_MAX])
    assert len(favourites.pinned(cast.administrator)) == favourites.FAVOURITES_MAX


def test_the_star_answers_with_the_new_favourites_at_once(browse, cast):
    browser = browse(cast.agent)
    assert 'data-pin="clients" aria-pressed="false"' in browser.get("/clients/").content.decode()
    star = {"page": "clients", "is_pinned": "1", "next": "/clients/"}
    fragment = browser.post("/favourites/pin/", star, headers={"HX-Request": "true"}).content.decode()
    assert 'id="k-favourites"' in fragment and 'href="/clients/" aria-current="page"' in fragment
    page = browser.get("/clients/").content.decode()
    assert page.count('href="/clients/" aria-current="page"') == 2
    assert 'data-pin="clients" aria-pressed="false"' not in page
    refused = browser.post("/favourites/pin/", {"page": "staff", "is_pinned": "1"}, headers={"HX-Request": "true"})
    assert (refused.status_code, refused.content.decode()) == (422, "This page isn't on your menu.")
    assert browser.post("/favourites/pin/", {"page": "clients", "next": "//evil.example/"})["Location"] == "/home/"
    assert browser.post("/favourites/pin/", star)["Location"] == "/clients/"
    assert browser.post("/favourites/", {"order": ["leads", "clients"], "kept": ["leads"]})["Location"] == "/home/"
    assert favourites.pinned(User.objects.get(pk=cast.agent.pk)) == []


# ---------------------------------------------------------------- the "+"


def test_what_can_be_created_follows_the_rights(cast):
    offered = {role: {entry.url_name for entry in panels.creations_for(user)} for role, user in cast.staff().items()}
    assert offered["agent"] >= {"lead_new", "client_task"}
    assert offered["finance"] >= {"wallet:manual_journal_new", "wallet:bank"}
    assert "ib_partner_new" in offered["ib_manager"] and "campaign_new" in offered["marketing"]
    assert offered["auditor"] == set()
    assert not offered["agent"] & {"ib_partner_new", "wallet:manual_journal_new", "staff_invite"}


def test_what_is_for_a_client_first_asks_which_one(browse, cast):
    browser = browse(cast.agent)
    url = "/clients/choose/client-task/"
    page = browser.get(url, {"q": cast.client.first_name}, headers={"HX-Request": "true"}).content.decode()
    assert f'hx-get="/clients/{cast.client.pk}/task/"' in page and "<html" not in page
    hidden = browser.get(url, {"q": cast.other_client.first_name}).content.decode()
    assert f"/clients/{cast.other_client.pk}/task/" not in hidden and "<h1" in hidden
    assert browser.get("/clients/choose/wallet-bonus-give/").status_code == 404
    assert browser.get("/clients/choose/lead-new/").status_code == 404


def test_every_plus_entry_opens_a_page_that_its_role_may_open(browse, cast):
    for role, user in cast.staff().items():
        browser = browse(user)
        for entry in panels.creations_for(user):
            assert browser.get(entry.url).status_code == 200, f"{role}: {entry.label}"
