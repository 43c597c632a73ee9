"""What apps put on pages they don't own, badges, icons and charts."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.template import engines
from django.test import RequestFactory
from django.test.utils import override_script_prefix
from django.utils import translation
from django_cotton.compiler_regex import CottonCompiler

from crm.choices import JobState
from crm.models import Job
from crm.templatetags import keelson
from crm.ui import badges, charts, menu, panels


@pytest.fixture
def registry(monkeypatch):
    fresh = panels.Registry()
    monkeypatch.setattr(panels, "registry", fresh)
    return fresh


class Person:
    pk = 1

    def __init__(self, *rights: str) -> None:
        self.rights = rights

    def has_perm(self, name: str) -> bool:
        return name in self.rights


def test_the_menu_is_what_a_person_may_open_in_its_order(registry):
    panels.register(
        panels.MenuEntry("money", "Deposits", "jobs", "w.view", order=2, also=("/chargebacks/",)),
        panels.MenuEntry("money", "Withdrawals", "notifications", "w.view", order=1, count=lambda user: 3),
        panels.MenuEntry("", "Home", "home"),
        panels.MenuEntry("sales", "Leads", "profile", lambda user: "sell" in user.rights),
        panels.MenuEntry("money", "Gone", "no_such_page", "w.view"),
        panels.MenuEntry("", "Wallet", "profile", None, audience="client"),
    )
    sections = menu.menu_for(Person("w.view"), path="/jobs/17/")
    assert [(str(s.label), [str(link.entry.label) for link in s.entries]) for s in sections] == [
        ("", ["Home"]),
        ("Money", ["Withdrawals", "Deposits"]),
    ]
    links = {str(link.entry.label): link for s in sections for link in s.entries}
    assert links["Deposits"].active and not links["Home"].active and links["Withdrawals"].count == 3
    elsewhere = menu.menu_for(Person("w.view"), path="/chargebacks/9/")
    assert [str(link.entry.label) for s in elsewhere for link in s.entries if link.active] == ["Deposits"]
    assert "Sales" in [str(s.label) for s in menu.menu_for(Person("sell"))]
    assert [str(link.entry.label) for s in menu.menu_for(Person(), "client") for link in s.entries] == ["Wallet"]


CLAIMS = {
    "tab": (panels.Tab("client", "money", "Money", print), panels.Tab("client", "money", "Other", print)),
    "tile": (panels.Tile("t", "a.html", print), panels.Tile("t", "b.html", print)),
    "card": (panels.Card("client", "k", "a.html", print), panels.Card("client", "k", "b.html", print)),
    "menu": (panels.MenuEntry("money", "Deposits", "jobs"), panels.MenuEntry("money", "Money in", "jobs")),
    "search": (panels.PaletteSource("s", "A", print), panels.PaletteSource("s", "B", print)),
}


@pytest.mark.parametrize(("first", "second"), CLAIMS.values(), ids=CLAIMS)
def test_two_apps_can_not_claim_one_place(registry, first, second):
    panels.register(first, first)
    with pytest.raises(ValueError, match="registered twice"):
        panels.register(second)
    assert registry.of(type(first)) == [first]


def test_tabs_cards_and_tiles_come_with_their_rights(registry):
    panels.register(
        panels.Tab("client", "a", "A", lambda *_: None, "x.a", order=2),
        panels.Tab("client", "b", "B", lambda *_: None, None, order=1),
        panels.Tab("partner", "c", "C", lambda *_: None),
    )
    assert [t.slug for t in panels.tabs_for(Person("x.a"), "client")] == ["b", "a"]
    assert panels.tab_for(Person(), "client", "a") is None and panels.tab_for(Person("x.a"), "client", "a")
    panels.register(
        panels.Card("client", "k", "t.html", lambda request, record: {"n": record}, "x.a"),
        panels.Card("client", "hidden", "t.html", lambda request, record: None),
    )
    request = RequestFactory().get("/")
    request.user = Person("x.a")
    assert [card["context"] for card in panels.cards_for(request, "client", 5)] == [{"n": 5}]
    panels.register(
        panels.Tile("t1", "t.html", lambda user: {}, "x.a", 2), panels.Tile("t2", "t.html", lambda user: {}, None, 1)
    )
    assert [t.slug for t in panels.tiles_for(Person())] == ["t2"]


def test_the_palette_asks_only_providers_one_may_ask_and_cuts_their_answers(registry):
    asked = []

    def many(user, query, limit):
        asked.append(query)
        return (panels.SearchResult(str(n), "/") for n in range(100))

    panels.register(panels.PaletteSource("many", "Many", many, "x.a"))
    assert panels.search_everything(Person(), "q") == [] and not asked
    ((_source, found),) = panels.search_everything(Person("x.a"), "q", 4)
    assert len(found) == 4


@pytest.mark.django_db
def test_a_badge_takes_label_and_colour_from_the_field():
    job = Job(state="failed")
    assert keelson.badge(job, "state") == '<span class="k-badge tone-danger">Failed</span>'
    assert keelson.badge(JobState.DONE) == '<span class="k-badge tone-success">Done</span>'
    assert keelson.badge("<VIP>", tone="accent") == '<span class="k-badge tone-accent">&lt;VIP&gt;</span>'
    assert keelson.badge("") == "–" and keelson.badge(Job(state="odd"), "state").endswith(">odd</span>")
    with translation.override("de"):
        assert "Fehlgeschlagen" in keelson.badge(job, "state")
    assert [badges.tone_name(c) for c in ("green", "red", "orange", "azure", "teal", "", "?")] == [
        "success",
        "danger",
        "warning",
        "info",
        "teal",
        "neutral",
        "neutral",
    ]


def test_an_unknown_icon_is_a_circle_and_nothing_breaks():
    assert "<path" in keelson.icon("users") and keelson.icon("no-such-icon") == keelson.icon("circle")
    assert "&quot;" in keelson.icon("users", 'x" onload="y')


def test_small_charts_scale_and_say_what_they_are():
    line = charts.sparkline([1, None, 3], label='Deposits "now"')
    assert 'aria-label="Deposits &quot;now&quot;"' in line and "style=" not in line
    assert charts.sparkline([1]) == "" and charts.bars([]) == "" and charts.share_bars([]) == ""
    columns = charts.bars([2, -1, 0])
    assert columns.count("<rect") == 3 and "bar neg" in columns and 'class="zero"' in columns
    assert 'width="50.00"' in charts.share_bars([("A", Decimal(10), "10"), ("<B>", 5, "5")])
    assert "&lt;B&gt;" in charts.share_bars([("<B>", 5, "5")])


def test_a_large_chart_is_data_that_no_value_can_break_out_of():
    days = [dt.date(2026, 1, 1), dt.date(2026, 1, 2)]
    series = charts.Series("</script><b>", [Decimal("1.5"), None], kind="area", unit="EUR")
    chart = charts.Chart("equity", days, [series], x_label="Day")
    assert "</script>" not in chart.json()
    spec = json.loads(chart.json())
    assert spec["x"] == [1767225600, 1767312000] and spec["series"][0]["values"] == [1.5, None] and spec["time"]
    page = engines["django"].from_string("{% chart chart %}").render({"chart": chart})
    assert 'data-chart="equity"' in page and "<b>" not in page and "1.5" in page
    assert charts.Chart("n", [1, 2], [series]).spec()["time"] is False


def test_series_without_a_tone_take_the_next_of_the_palette():
    series = [charts.Series(str(number), [1, 2]) for number in range(7)]
    series[1] = charts.Series("loss", [1, 2], tone="danger")
    spec = charts.Chart("n", [1, 2], series, is_stacked=True).spec()
    tones = [line["tone"] for line in spec["series"]]
    assert tones == ["brand", "danger", "warning", "accent", "danger", "neutral", "brand"]
    assert 'href="/day/?a=1&amp;b=2"' in charts.Chart("n", [1, 2], series, urls=["/day/?a=1&b=2", ""]).rows()
    assert spec["stacked"] is True and charts.Chart("n", [1, 2], series).spec()["stacked"] is False


def test_a_query_string_changes_what_it_is_told_and_starts_over():
    template = engines["django"].from_string('{% querystring_with sort="-x" kind=None %}')
    request = RequestFactory().get("/?sort=y&kind=a&q=ü&cursor=abc")
    assert template.render({}, request) in ("?sort=-x&amp;q=%C3%BC", "?sort=-x&q=%C3%BC")


@pytest.mark.django_db
def test_the_components_render_and_escape():
    source = """<c-head title="{{ name }}" sub="s"><a href="#">x</a></c-head><c-card title="{{ name }}">in</c-card>
    <c-stat label="L" value="{{ name }}" :trend="trend" /><c-alert tone="danger" title="{{ name }}" :reasons="reasons" />
    <c-empty title="{{ name }}">text</c-empty><c-person name="{{ name }}" /><c-dl><c-item label="{{ name }}"></c-item></c-dl>
    <c-progress :value="3" :max="7" /><c-copy value="{{ name }}" /><c-steps :steps="reasons" :current="1" />
    <c-timeline-item title="{{ name }}">b</c-timeline-item><c-tabs :tabs="tabs" current="a" />"""
    context = {"name": '<b>"', "trend": [1, 2], "reasons": ["<i>"], "tabs": [{"slug": "a", "label": "<u>", "url": "#"}]}
    page = engines["django"].from_string(CottonCompiler().process(source)).render(context)
    assert "<b>" not in page and "<i>" not in page and "<u>" not in page
    assert page.count("&lt;b&gt;") >= 8 and 'value="3" max="7"' in page and 'aria-current="page"' in page


def test_tags_without_variables_follow_language_addresses_and_escaping():
    page = engines["django"].from_string(
        '{% translate "Search" %} {% url "jobs" %} {% icon "star" %} {% translate word %} {% icon name %}'
        '{% url "help_topic" slug as at %}{{ at }} {% translate "Search" as said %}{{ said }}'
        ' {% translate "Records" context "menu" %}'
    )
    seen = {}
    for language in ("en", "de", "en"):
        with translation.override(language):
            seen[language] = page.render({"word": "Search", "name": "star", "slug": "home"})
    star = str(keelson.icon("star"))
    assert seen["en"] == f"Search /jobs/ {star} Search {star}/help/home/ Search Records"
    assert seen["de"].startswith("Suchen /jobs/") and seen["de"].count("Suche") == 3 and "Records" not in seen["de"]
    with override_script_prefix("/crm/"), translation.override("en"):
        assert page.render({"word": "Search", "name": "star", "slug": "home"}).startswith("Search /crm/jobs/")
