"""The frame of every page: shell, menu, home, bell, jobs, profile."""

import pytest

from crm.models import Job, Notification
from crm.notices.kinds import CrmNotice
from crm.notices.notify import notify
from crm.ui import menu, panels


def test_a_stranger_is_asked_to_sign_in(browse, db):
    answer = browse(None).get("/home/")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=/home/"


def test_a_client_is_a_stranger_to_staff_pages(browse, cast):
    assert browse(cast.client_user).get("/home/")["Location"].startswith("/accounts/login/")


def test_home_shows_the_shell_within_its_queries(browse, cast, django_assert_max_num_queries):
    browser = browse(cast.agent)
    browser.get("/home/")
    with django_assert_max_num_queries(16):  # six for the page, ten for the cards of an agent's cockpit
        answer = browser.get("/home/")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "Alice" in page and 'id="k-palette"' in page
    assert "<script>" not in page and "style=" not in page and "onclick" not in page


def test_the_menu_marks_the_page_one_is_on_and_only_that(browse, cast):
    browser = browse(cast.administrator)
    for path, marked in (("/home/", "/home/"), ("/events/waiting/", "/events/"), ("/events/", "/events/")):
        page = browser.get(path).content.decode()
        assert page.count('aria-current="page"') - page.count("k-tabs") == 1
        assert f'href="{marked}" aria-current="page">' in page


@pytest.mark.parametrize(
    ("path", "open_area", "attribute"),
    [
        ("/home/", "home", 'aria-current="true"'),
        ("/clients/", "clients", 'aria-current="true"'),
        ("/profile/", "home", "data-resting"),
        ("/help/", "home", "data-resting"),
        ("/jobs/", "home", "data-resting"),
    ],
)
def test_a_page_of_no_area_marks_none(browse, cast, path, open_area, attribute):
    page = browse(cast.agent).get(path).content.decode()
    assert page.count(f'data-area="{open_area}" {attribute}') == 1
    assert page.count('aria-current="true"') == (attribute != "data-resting")
    assert f'id="k-area-{open_area}" role' in page


def test_a_page_that_no_menu_lists_opens_the_nearest_area(browse, cast):
    """The page of a client's compliance is beside the watchlists; an agent has no such area, and none is marked."""
    assert menu.area_of_address("/compliance/clients/7/") == "compliance"
    assert menu.area_of_address("/ib/settlements/3/") == "partners"
    assert [menu.area_of_address(path) for path in ("/profile/", "/", "/unheard-of/")] == ["", "", ""]
    page = browse(cast.kyc_officer).get(f"/compliance/clients/{cast.client.pk}/").content.decode()
    assert 'id="k-area-compliance" role' in page and 'aria-current="true"' not in page and "data-resting" not in page


def test_pages_open_while_the_cache_is_away(browse, cast, monkeypatch):
    from django.core.cache import cache
    from redis.exceptions import ConnectionError

    from crm.project.cache import LastingClient

    def away(*args, **kwargs):
        raise ConnectionError("no redis")

    browser = browse(cast.agent)
    monkeypatch.setattr(LastingClient, "get_client", away)
    for path in ("/home/", "/jobs/", "/notifications/"):
        assert browser.get(path).status_code == 200
    assert cache.get("x", "without") == "without" and cache.get("x", default=3) == 3
    assert cache.add("x", 1) is True and cache.has_key("x") is False and cache.get_many(["x"]) == {}
    assert cache.get_or_set("x", lambda: 7) == 7


def test_the_front_door_leads_each_person_home(browse, cast):
    assert browse(cast.agent).get("/")["Location"] == "/home/"
    assert browse(cast.client_user).get("/")["Location"] == "/portal/"
    assert browse(None).get("/")["Location"] == "/b/"


def test_the_bell_counts_lists_and_forgets(browse, cast):
    notify([cast.agent], kind=CrmNotice.MAIL_FAILED, title="New lead: Clara", url="/profile/")
    browser = browse(cast.agent)
    assert ">1</span>" in browser.get("/home/").content.decode()
    row = Notification.objects.get()
    assert f"/notifications/{row.pk}/" in browser.get("/notifications/recent/").content.decode()
    assert browse(cast.other_agent).get(f"/notifications/{row.pk}/").status_code == 404
    assert browser.get(f"/notifications/{row.pk}/")["Location"] == "/profile/"
    row.refresh_from_db()
    assert row.read_at is not None


def test_a_notification_never_leads_off_the_site(browse, cast):
    notify([cast.agent], kind=CrmNotice.MAIL_FAILED, title="Prize", url="https://evil.example/")
    row = Notification.objects.get()
    assert browse(cast.agent).get(f"/notifications/{row.pk}/")["Location"] == "/notifications/"


@pytest.mark.parametrize("path", ["/notifications/", "/jobs/", "/profile/", "/notifications/recent/"])
def test_shared_pages_open_for_staff_and_clients(browse, cast, path):
    for person in (cast.agent, cast.client_user):
        assert browse(person).get(path).status_code == 200, person


def test_a_job_is_its_owners_alone(browse, cast):
    job = Job.objects.create(kind="x", title="Export", owner=cast.agent)
    assert browse(cast.agent).get(f"/jobs/{job.pk}/").status_code == 200
    assert browse(cast.other_agent).get(f"/jobs/{job.pk}/").status_code == 404
    assert browse(cast.agent).get(f"/jobs/{job.pk}/download/").status_code == 404
    assert browse(cast.agent).get(f"/jobs/{job.pk}/cancel/").status_code == 405
    assert browse(cast.other_agent).post(f"/jobs/{job.pk}/cancel/").status_code == 404
    browse(cast.agent).post(f"/jobs/{job.pk}/cancel/")
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_language_and_time_zone_are_kept_and_used(browse, cast):
    browser = browse(cast.agent)
    answer = browser.post("/profile/", {"language": "de", "time_zone": "Europe/Berlin"}, follow=True)
    cast.agent.refresh_from_db()
    assert (cast.agent.language, cast.agent.time_zone) == ("de", "Europe/Berlin")
    assert '<html lang="de" dir="ltr">' in answer.content.decode()


def test_the_palette_finds_pages_of_the_users_menu_only(browse, cast, monkeypatch):
    registry = panels.Registry()
    monkeypatch.setattr(panels, "registry", registry)
    panels.register(
        panels.MenuEntry("setup", "Failed events", "jobs", "crm.manage_events", "webhook"),
        panels.MenuEntry("sales", "Follow-ups", "notifications", None, "calendar"),
        panels.PaletteSource(
            "people", "People", lambda user, query, limit: [panels.SearchResult("Clara Weber", "/clients/1/", "client")]
        ),
    )
    page = browse(cast.agent).get("/palette/", {"q": ""}).content.decode()
    assert "Follow-ups" in page and "Failed events" not in page and "Clara" not in page
    page = browse(cast.agent).get("/palette/", {"q": "cla"}).content.decode()
    assert "Clara Weber" in page and "Follow-ups" not in page
    assert "Failed events" in browse(cast.administrator).get("/palette/", {"q": "failed"}).content.decode()


def test_a_brands_colours_are_a_stylesheet(client, cast):
    answer = client.get("/brand/meridian.css")
    assert answer["Content-Type"].startswith("text/css") and cast.brand.colour in answer.content.decode()
    assert client.get("/brand/nobody.css").status_code == 404
