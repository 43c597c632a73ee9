"""A home as a cockpit: KPI cards compare, people hide and order their own cards, and nobody sees a card without the right."""

import pytest
from django.contrib.auth.models import Group

from crm.models import User
from crm.ui import cockpits, panels
from crm.ui.kpis import Kpi, kpi_tile, once_per_page


@pytest.mark.parametrize(
    ("now", "before", "is_more_better", "change", "tone"),
    [
        (120, 100, True, "+20 %", "success"),
        (80, 100, True, "−20 %", "danger"),
        (80, 100, False, "−20 %", "success"),
        (120, 100, None, "+20 %", "neutral"),
        (100, 100, True, "±0 %", "neutral"),
        (3, 0, True, "new", "success"),
        (0, 0, True, "", "neutral"),
        (5, None, True, "", "neutral"),
        (50_000, 1, True, "×50,000", "success"),
        (5_000, -50, True, "> +999 %", "success"),
        (50, -100, True, "+150 %", "success"),
    ],
)
def test_a_change_is_said_and_coloured(now, before, is_more_better, change, tone):
    kpi = Kpi("Leads", str(now), now=now, before=before, is_more_better=is_more_better)
    assert (kpi.change, kpi.change_tone) == (change, tone)


@pytest.mark.parametrize(
    ("now", "target", "reached"), [(5, 10, 50), (15, 10, 100), (-5, 10, 0), (5, 0, None), (5, None, None)]
)
def test_a_target_is_reached_by_a_share(now, target, reached):
    assert Kpi("Leads", str(now), now=now, target=target).reached == reached


def test_what_cards_share_is_computed_once_per_user(cast):
    calls = []
    assert [once_per_page(cast.agent, "x", lambda: calls.append(1) or 7) for _ in range(3)] == [7, 7, 7]
    assert calls == [1]
    assert once_per_page(User(pk=1), "x", lambda: 8) == 8


@pytest.fixture
def cards(monkeypatch):
    monkeypatch.setattr(panels, "registry", panels.Registry())
    panels.register(
        kpi_tile("a", "First figure", lambda user: Kpi("First figure", "11"), None, 1),
        kpi_tile("b", "Second figure", lambda user: Kpi("Second figure", "22"), None, 2),
        kpi_tile("none", "Nothing", lambda user: None, None, 3),
        kpi_tile("secret", "Secret", lambda user: Kpi("Secret figure", "99"), "crm.manage_staff", 4),
        kpi_tile("heads", "For heads", lambda user: Kpi("For heads", "33"), None, 5, roles=("desk_head",)),
    )


def html(answer) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def figures(answer) -> list[str]:
    return [name for name in ("First figure", "Second figure", "Secret figure", "For heads") if name in html(answer)]


def test_a_person_hides_and_orders_their_cards(browse, cast, cards):
    browser = browse(cast.agent)
    assert figures(browser.get("/home/")) == ["First figure", "Second figure"]
    browser.post("/home/cards/", {"order": ["b", "a", "secret", "bogus"], "shown": ["b"]})
    cast.agent.refresh_from_db()
    assert cast.agent.preferences["cards"]["home"] == {"order": ["b", "a"], "hidden": ["a"]}
    assert figures(browser.get("/home/")) == ["Second figure"]
    browser.post("/home/cards/", {"order": ["b", "a"], "shown": ["a", "b"]})
    page = html(browser.get("/home/"))
    assert page.index("Second figure") < page.index("First figure")
    browser.post("/home/cards/", {"order": ["b", "a"], "reset": "1"})
    cast.agent.refresh_from_db()
    assert cast.agent.preferences["cards"] == {}


def test_a_card_for_a_role_is_shown_to_that_role_only(cast, cards):
    assert "heads" not in [tile.slug for tile in panels.tiles_for(cast.agent)]
    cast.agent.groups.add(Group.objects.get(name="desk_head"))
    assert "heads" in [tile.slug for tile in panels.tiles_for(cast.agent)]


def test_hiding_everything_says_how_to_bring_it_back(browse, cast, cards):
    cockpits.arrange_cards(user=cast.agent, dashboard="home", order=[], hidden=["a", "b"])
    assert "Choose Customise to bring them back" in html(browse(cast.agent).get("/home/"))


def test_a_choice_made_before_a_card_came_keeps_the_new_card_visible(cast, cards):
    cockpits.arrange_cards(user=cast.agent, dashboard="home", order=["b"], hidden=["b"])
    assert [loaded.tile.slug for loaded in cockpits.cockpit_of(cast.agent).kpis] == ["a"]
