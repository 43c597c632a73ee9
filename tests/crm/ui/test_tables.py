"""Declarative tables: columns, order, search, filters, selection, what a user may see of them, and their cost."""

import datetime as dt

import django_filters
import pytest
from django.http import QueryDict
from django.test import RequestFactory
from django.utils import translation

from crm.choices import UserKind
from crm.models import AccessEvent, Job, User
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    BulkAction,
    Column,
    EmailColumn,
    Empty,
    MoneyColumn,
    NumberColumn,
    Table,
    TimeColumn,
    YesNoColumn,
    table_named,
)
from crm.ui.views import TableView


class UserFilter(django_filters.FilterSet):
    kind = django_filters.MultipleChoiceFilter(choices=UserKind.choices)
    joined = django_filters.DateFromToRangeFilter(field_name="date_joined")

    class Meta:
        model = User
        fields = ["kind", "is_active"]


class UserTable(Table):
    name, title, permission, export_permission = "test.users", "People", None, "crm.view_audit"
    columns = [
        Column("username", "User", sort=True, link=True),
        EmailColumn("email", "E-mail", sort=True),
        Column("brand", "Brand", value="brand.name", sort="brand__name"),
        TimeColumn("last_login", "Last seen", sort=True),
        YesNoColumn("is_active", "Active"),
        NumberColumn("lead_capacity_per_day", "Capacity", hidden=True),
        Column("secret", "Secret", value=lambda row: "s3cret", permission="crm.manage_staff"),
    ]
    filterset = UserFilter
    search_fields = ["username", "last_name"]
    default_order = "username"
    page_size = 5
    row_url_name = "job"
    bulk_actions = [BulkAction("ban", "Ban", "jobs", "crm.manage_staff")]
    empty = Empty("Nobody yet", "Invite somebody.")

    def queryset(self):
        return User.objects.select_related("brand").exclude(kind="partner")


def table_for(user, query="", **scope) -> UserTable:
    return UserTable(User.objects.get(pk=user.pk), QueryDict(query), path="/people/", scope=scope)


def names(table) -> list[str]:
    return [row.username for row in table.page.rows]


def show(user, query="", fragment=False):
    headers = {"HX-Request": "true"} if fragment else {}
    request = RequestFactory().get(f"/people/?{query}", headers=headers)
    request.user = User.objects.get(pk=user.pk)
    return TableView.as_view(table=UserTable)(request)


def test_a_table_shows_its_columns_in_its_order(cast):
    table = table_for(cast.agent)
    assert [str(cell.label) for cell in table.head] == ["User", "E-mail", "Brand", "Last seen", "Active"]
    assert names(table) == sorted(User.objects.values_list("username", flat=True))[:5]


def test_each_cell_of_a_page_is_rendered_once(cast, monkeypatch):
    rendered = []
    column = Column("username", "User", value=lambda row: rendered.append(row.pk) or row.username)
    monkeypatch.setattr(UserTable, "columns", [column])
    show(cast.agent)
    assert rendered and len(rendered) == len(set(rendered))


def test_the_order_comes_from_the_address_but_only_for_sortable_columns(cast):
    assert names(table_for(cast.agent, "sort=-username"))[0] == User.objects.order_by("-username")[0].username
    assert table_for(cast.agent, "sort=is_active").order.path == "username"
    assert table_for(cast.agent, "sort=password").order.path == "username"
    assert table_for(cast.agent, "sort=-brand").order.path == "brand__name"


def test_clicking_a_head_turns_its_order_round(cast):
    cells = {cell.column.name: cell for cell in table_for(cast.agent, "sort=username&cursor=x&kind=staff").head}
    assert cells["username"].direction == "up"
    assert cells["username"].sort_url == "/people/?sort=-username&kind=staff"
    assert "sort=-last_login" in cells["last_login"].sort_url and "sort=email" in cells["email"].sort_url
    assert cells["is_active"].sort_url == ""


def test_search_needs_every_word_in_some_field(cast):
    assert names(table_for(cast.agent, "q=alice")) == ["alice@meridian.example"]
    assert names(table_for(cast.agent, "q=alice+weber")) == []
    assert len(names(table_for(cast.agent, "q=a"))) == 5, "one letter finds everything, so it searches nothing"


def test_filters_narrow_and_show_as_chips_that_can_be_taken_away(cast):
    table = table_for(cast.agent, "kind=client&q=example&sort=-username")
    assert set(names(table)) == {cast.client_user.username, cast.other_client_user.username}
    chips = {chip.label: chip for chip in table.chips}
    assert chips["Kind"].value == "Client" and "kind" not in chips["Kind"].url and "q=example" in chips["Kind"].url
    assert "q=" not in chips["Search"].url
    dated = table_for(cast.agent, "joined_after=2020-01-01&kind=client")
    assert next(c for c in dated.chips if c.label != "Kind").url == "/people/?kind=client"


def test_a_filter_value_that_makes_no_sense_is_said_and_left_out(cast):
    table = table_for(cast.agent, "kind=nonsense&joined_after=31.31.31&is_active=true")
    assert len(names(table)) == 5
    assert "kind" in table.filters.form.errors
    page = show(cast.agent, "kind=nonsense").content.decode()
    assert "nonsense is not one of the available choices" in page


def test_contacts_are_masked_for_roles_that_sell_on_screen_and_in_exports(cast):
    seller, officer = table_for(cast.agent, "q=clara"), table_for(cast.kyc_officer, "q=clara")
    assert "clara@example.com" not in seller.body_html.split("</td>")[1]
    assert "c•••••@e•••••.com" in seller.body_html
    assert "clara@example.com" in officer.body_html.split("</td>")[1]
    assert "c•••••@e•••••.com" in list(seller.export_rows())[1]
    assert "clara@example.com" in list(officer.export_rows())[1]


def test_a_column_is_only_for_those_who_hold_its_permission(cast):
    assert "s3cret" not in show(cast.agent).content.decode()
    assert "s3cret" in show(cast.administrator).content.decode()
    cast.agent.preferences = {"columns": {"test.users": ["username", "secret"]}}
    cast.agent.save()
    assert [column.name for column in table_for(cast.agent).shown_columns] == ["username"]


def test_cells_are_escaped(cast):
    User.objects.filter(pk=cast.client_user.pk).update(username="aa<script>x</script>")
    page = show(cast.agent).content.decode()
    assert "aa&lt;script&gt;" in page and "<script>x" not in page


def test_rows_link_to_their_page_and_names_need_no_query_each(cast, django_assert_max_num_queries):
    with django_assert_max_num_queries(13):
        page = show(cast.agent).content.decode()
    first = User.objects.order_by("username")[0]
    assert f'<a class="row-link" href="/jobs/{first.pk}/">' in page


def test_a_page_of_many_rows_costs_the_same_queries(cast, django_assert_max_num_queries):
    User.objects.bulk_create(User(username=f"z{n}", email=f"z{n}@x.example", brand=cast.brand) for n in range(60))
    with django_assert_max_num_queries(13):
        show(cast.agent, "q=z&sort=-brand")


def test_htmx_gets_the_fragment_and_browsers_the_page(cast):
    whole, part = show(cast.agent), show(cast.agent, fragment=True)
    assert b"<html" in whole.content and b"<html" not in part.content
    assert b'id="t-test.users"' not in part.content and b'id="t-test-users"' in part.content
    assert "HX-Request" in whole["Vary"]


def test_the_count_is_exact_on_one_page_and_about_beyond(cast):
    assert table_for(cast.agent, "q=alice").count_text == "1"
    assert table_for(cast.agent).count_text.startswith("about ")


def test_an_empty_list_teaches_and_an_overfiltered_one_offers_the_way_out(cast):
    assert "No matches" in show(cast.agent, "q=zzzz").content.decode()
    User.objects.filter(kind="client").update(is_active=True)

    class NobodyTable(UserTable):
        name = "test.nobody"

        def queryset(self):
            return User.objects.none()

    request = RequestFactory().get("/people/")
    request.user = cast.agent
    page = TableView.as_view(table=NobodyTable)(request).content.decode()
    assert "Nobody yet" in page and "Invite somebody." in page


def test_a_selection_never_reaches_beyond_what_the_user_sees(cast):
    partner = User.objects.create(username="p", email="p@x.example", kind="partner", brand=cast.brand)
    request = RequestFactory().post("/x/", {"ids": [cast.agent.pk, partner.pk, "7; DROP", ""]})
    request.user = cast.administrator
    assert list(UserTable.selected(request)) == [cast.agent]
    request = RequestFactory().post("/x/", {"all": "1", "query": "kind=client&sort=-username"})
    request.user = cast.administrator
    assert set(UserTable.selected(request)) == {cast.client_user, cast.other_client_user}


def test_bulk_actions_are_offered_to_those_who_may(cast):
    assert "ids" not in show(cast.agent).content.decode()
    assert 'name="ids"' in show(cast.administrator).content.decode()


def test_searching_a_list_is_noted(cast):
    show(cast.agent, "q=clara")
    event = AccessEvent.objects.get(user=cast.agent)
    assert (event.kind, event.target, event.rows, event.reason) == ("search", "table:test.users", 1, "clara")


def test_two_tables_can_not_share_a_name_and_reserved_filters_are_refused():
    assert table_named("test.users") is UserTable
    with pytest.raises(ValueError, match="two tables are named"):
        type("Another", (Table,), {"name": "test.users", "__module__": "elsewhere"})

    class Bad(django_filters.FilterSet):
        q = django_filters.CharFilter()

    with pytest.raises(ValueError, match="may not be named"):
        type("Wrong", (Table,), {"name": "test.wrong", "filterset": Bad})


def test_badges_money_and_times_read_as_people_write_them(cast):
    job = Job.objects.create(kind="k", title="Export", owner=cast.agent, state="failed")

    class JobsTable(Table):
        name = "test.jobs"
        columns = [
            BadgeColumn("state", "State"),
            MoneyColumn("owed", "Owed", value=lambda row: -123450, minor=True, currency="EUR"),
            AgoColumn("created_at", "When", overdue=True),
        ]

        def queryset(self):
            return Job.objects.all()

    with translation.override("de"):
        html = JobsTable(cast.agent).body_html
    assert '<span class="k-badge tone-danger">' in html
    assert "−1.234,50\xa0€" in html and 'class="neg"' in html
    exported = list(JobsTable(cast.agent).export_rows())[1]
    assert exported[0] == "Failed" and str(exported[1]) == "-1234.50" and isinstance(exported[2], dt.datetime)
    assert job.pk
