"""Chosen columns and saved views: kept per person, shared with a desk, deleted by their owner."""

import pytest

from crm.errors import DomainError
from crm.models import SavedView, User
from crm.ui import layouts
from tests.crm.ui.test_tables import show, table_for


def send(browser, action, **data):
    return browser.post(f"/lists/test.users/{action}", {"path": "/jobs/", **data})


def test_chosen_columns_stay_chosen_and_can_be_given_back(browse, cast):
    browser = browse(cast.agent)
    answer = send(browser, "columns/", columns=["is_active", "username", "secret", "bogus"], query="sort=email")
    assert answer["HX-Redirect"] == "/jobs/?sort=email"
    assert [c.name for c in table_for(cast.agent).shown_columns] == ["is_active", "username"]
    send(browser, "columns/", columns=["username"], reset="1")
    assert len(table_for(cast.agent).shown_columns) == 5


def test_choosing_columns_leaves_other_preferences_alone(cast):
    cast.agent.preferences = {"colour": "blue", "columns": {"other": ["a"]}}
    cast.agent.save()
    layouts.choose_columns(user=cast.agent, table="test.users", columns=["username"])
    cast.agent.refresh_from_db()
    assert cast.agent.preferences == {"colour": "blue", "columns": {"other": ["a"], "test.users": ["username"]}}


def test_a_saved_view_keeps_filters_order_and_columns(browse, cast):
    answer = send(browse(cast.agent), "views/", name="Clients first", query="kind=client&sort=-username")
    view = SavedView.objects.get()
    assert answer["HX-Redirect"] == f"/jobs/?kind=client&sort=-username&view={view.pk}"
    assert view.columns[:2] == ["username", "email"] and view.desk is None
    page = show(cast.agent, f"kind=client&view={view.pk}").content.decode()
    assert "Clients first" in page
    assert "Clients first" not in show(cast.other_agent).content.decode()


def test_a_view_shared_with_the_desk_is_seen_there_and_deleted_only_by_its_owner(browse, cast):
    send(browse(cast.desk_head), "views/", name="Desk view", query="", for_desk="1")
    view = SavedView.objects.get()
    assert "Desk view" in show(cast.agent).content.decode()
    assert "Desk view" not in show(cast.other_agent).content.decode()
    assert send(browse(cast.other_agent), f"views/{view.pk}/delete/").status_code == 404
    assert send(browse(cast.agent), f"views/{view.pk}/delete/").status_code == 403
    assert SavedView.objects.filter(pk=view.pk).exists()
    assert send(browse(cast.desk_head), f"views/{view.pk}/delete/").status_code == 204
    assert not SavedView.objects.exists()


def test_the_same_name_again_replaces_the_view(cast):
    for query in ("kind=client", "kind=staff"):
        layouts.save_view(user=cast.agent, table="test.users", name=" Mine ", query=query)
    assert SavedView.objects.get().query == "kind=staff"


def test_a_view_without_a_name_or_a_desk_is_refused_and_the_form_keeps_what_was_typed(browse, cast):
    answer = send(browse(cast.agent), "views/", name="  ", query="kind=client")
    assert answer.status_code == 422 and "Enter a name for the view" in answer.content.decode()
    answer = send(browse(cast.auditor), "views/", name="For all", query="kind=client", for_desk="1")
    page = answer.content.decode()
    assert (
        answer.status_code == 422
        and "t belong to a desk" in page
        and 'value="For all"' in page
        and "kind=client" in page
    )
    assert not SavedView.objects.exists()


def test_views_are_not_without_limit(cast, monkeypatch):
    monkeypatch.setattr(layouts, "VIEWS_MAX", 2)
    for name in ("a", "b"):
        layouts.save_view(user=cast.agent, table="test.users", name=name, query="")
    with pytest.raises(DomainError):
        layouts.save_view(user=cast.agent, table="test.users", name="c", query="")
    layouts.save_view(user=cast.agent, table="test.users", name="b", query="x=1")


def test_the_dialog_goes_back_only_to_this_site(browse, cast):
    answer = browse(cast.agent).post("/lists/test.users/columns/", {"path": "https://evil.example/"})
    assert answer["HX-Redirect"] == "/"
    answer = browse(cast.agent).post("/lists/test.users/columns/", {"path": "//evil.example/"})
    assert answer["HX-Redirect"] == "/"


def test_the_dialog_shows_columns_the_person_may_have(browse, cast):
    page = browse(cast.agent).get("/lists/test.users/settings/?path=/jobs/&kind=client&cursor=abc").content.decode()
    assert "Capacity" in page and "Secret" not in page and 'value="kind=client"' in page
    assert "Secret" in browse(cast.administrator).get("/lists/test.users/settings/").content.decode()
    assert browse(cast.agent).get("/lists/unknown/settings/").status_code == 404
    assert User.objects.get(pk=cast.agent.pk).preferences == {}


def test_a_view_saved_out_of_another_keeps_the_columns_that_are_shown(browse, cast):
    narrow = layouts.save_view(user=cast.agent, table="test.users", name="Narrow", query="", columns=["username"])
    browser = browse(cast.agent)
    dialog = browser.get(f"/lists/test.users/settings/?path=/jobs/&kind=client&view={narrow.pk}").content.decode()
    assert f'name="view" value="{narrow.pk}"' in dialog
    send(browser, "views/", name="Narrow clients", query="kind=client", view=narrow.pk)
    assert SavedView.objects.get(name="Narrow clients").columns == ["username"]


def test_a_refused_view_is_still_meant_for_the_desk(browse, cast):
    page = send(browse(cast.desk_head), "views/", name=" ", query="", for_desk="1").content.decode()
    assert 'name="for_desk" value="1" checked' in page


def test_deleting_a_view_leaves_the_list_as_it_is_filtered(browse, cast):
    view = layouts.save_view(user=cast.agent, table="test.users", name="Old", query="")
    answer = send(browse(cast.agent), f"views/{view.pk}/delete/", query="kind=client&sort=email")
    assert answer["HX-Redirect"] == "/jobs/?kind=client&sort=email"
