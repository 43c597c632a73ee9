"""Tags: choices of a custom field added to many and taken off, by bulk change and automation, in reach and in the log."""

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clients.custom_fields import setup, tagging
from clients.custom_fields.registry import name_of
from clients.custom_fields.values import set_custom_values, values_of
from clients.models import CustomFieldType, CustomValue
from clients.tables import ClientTable
from crm.errors import DomainError, NotAllowed
from crm.models import AccessEvent, AuditEvent, OutboxEvent
from crm.security import audit
from leads.automations.actions import ACTIONS, Turn
from leads.automations.choices import Reason
from leads.bulk.changing import change_many, undo_many
from leads.models import AutomationRun
from tests.cast import make_client, signed_in
from tests.clients.test_custom_fields import add
from tests.crm.api.test_reading import get, secret_of
from tests.leads.conftest import capture

__all__ = ["capture"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def people(cast):
    return [make_client(brand=cast.brand, book=cast.client.book, email=f"p{n}@example.com") for n in range(3)]


@pytest.fixture
def tags(cast):
    """The field and its tags "VIP" and "Webinar"."""
    field = add(cast, "tags", CustomFieldType.CHOICES, ("VIP", "Webinar"))
    return field, *field.choices.order_by("pk")


def codes(people, field):
    return [values_of(client).get(field.pk) for client in people]


def test_a_tag_joins_the_others_and_is_taken_back(cast, people, tags):
    field, vip, _webinar = tags
    ids = [client.pk for client in people]
    set_custom_values(client_id=ids[0], actor=cast.agent, values={field.pk: ["webinar"]})
    set_custom_values(client_id=ids[1], actor=cast.agent, values={field.pk: ["vip"]})
    before = OutboxEvent.objects.count()
    options = {"tag": vip.pk, "how": "add"}
    row = change_many(kind="tag", options=options, client_ids=[*ids, cast.other_client.pk], actor=cast.agent)
    assert codes(people, field) == [["vip", "webinar"], ["vip"], ["vip"]]
    assert ([pk for pk, _none in row.changes], row.left_out) == ([ids[0], ids[2]], [[ids[1], "Has the tag already"]])
    assert OutboxEvent.objects.count() == before + 2
    newest = AuditEvent.objects.filter(action="clients.custom_values_changed", client_id=ids[0]).latest("pk")
    assert audit.body_of(newest)["after"] == {"tags": ["vip", "webinar"]}
    assert AccessEvent.objects.filter(client_id=ids[2], target="clients.custom_values", kind="edit").count() == 1
    shown = ClientTable(cast.agent, QueryDict(mutable=True))
    has_vip = CustomValue.objects.filter(field=field, codes__contains=["vip"]).values("client_id")
    assert set(shown.queryset().filter(pk__in=has_vip)) == set(people)
    assert undo_many(change_id=row.pk, actor=cast.agent).undone == 2
    assert codes(people, field) == [["webinar"], ["vip"], None]


def test_who_does_not_see_the_field_does_not_tag(cast, people, tags):
    _field, vip, _webinar = tags
    for who in (cast.other_agent, cast.auditor):
        with pytest.raises(NotAllowed):
            tagging.tag_clients(client_ids=[people[0].pk], tag_id=vip.pk, actor=who)
    hidden = add(cast, "secret", CustomFieldType.CHOICES, ("X", "Y"), roles=["mlro"]).choices.first()
    with pytest.raises(DomainError, match="Choose a tag"):
        tagging.tag_clients(client_ids=[people[0].pk], tag_id=hidden.pk, actor=cast.agent)
    setup.archive_custom_choice(choice_id=vip.pk, actor=cast.administrator, is_archived=True)
    with pytest.raises(DomainError, match="Choose a tag"):
        tagging.tag_clients(client_ids=[people[0].pk], tag_id=vip.pk, actor=cast.agent)
    assert not CustomValue.objects.exists()


def test_a_required_field_keeps_its_last_tag(cast, people):
    field = add(cast, "group", CustomFieldType.CHOICES, ("A", "B"), is_required=True)
    first, second = field.choices.order_by("pk")
    ids = [people[0].pk]
    tagging.tag_clients(client_ids=ids, tag_id=first.pk, actor=cast.agent)
    assert tagging.tag_clients(client_ids=ids, tag_id=first.pk, actor=cast.agent, is_adding=False) == []
    tagging.tag_clients(client_ids=ids, tag_id=second.pk, actor=cast.agent)
    assert tagging.tag_clients(client_ids=ids, tag_id=first.pk, actor=cast.agent, is_adding=False) == ids


def test_an_automation_adds_a_tag_and_takes_it_off(cast, people, tags):
    field, vip, _webinar = tags
    kind = ACTIONS["tag"]
    options = kind.clean(cast.brand, {"tag": str(vip.pk), "how": "add"})
    assert kind.words(options) == "add the tag “Tags: VIP”"
    turns = [Turn(AutomationRun(pk=number, position=0), client, options) for number, client in enumerate(people)]
    tagging.tag_clients(client_ids=[people[0].pk], tag_id=vip.pk, actor=None)
    outcomes = kind.perform(turns)
    assert {pk: left.reason for pk, left in outcomes.items()} == {0: Reason.ALREADY}
    assert codes(people, field) == [["vip"]] * 3
    kind.perform([Turn(turns[0].run, people[0], {**options, "how": "remove"})])
    assert codes(people, field)[0] is None
    with pytest.raises(DomainError):
        kind.clean(cast.other_brand, {"tag": str(vip.pk)})


def test_clients_are_tagged_from_their_list(cast, people, tags, django_assert_max_num_queries):
    field, vip, _webinar = tags
    page, ids = signed_in(cast.agent), [client.pk for client in people]
    url = reverse("clients_bulk_tag")
    assert "Tags: VIP" in page.post(url, {"ids": ids}).content.decode()
    with django_assert_max_num_queries(60):
        answer = page.post(url, {"ids": ids, "tag": vip.pk, "how": "add", "step": "confirm"})
    assert answer.status_code == 302 and codes(people, field) == [["vip"]] * 3
    assert "Tag added: Tags: VIP" in page.get(answer["Location"]).content.decode()
    shown = page.get("/clients/", {"columns": name_of(field)}).content.decode()
    assert "/leads/bulk/tag-clients/" in shown
    assert signed_in(cast.auditor).post(url, {"ids": ids}).status_code == 403


def test_the_api_reads_them_in_the_lists_own_statement(cast, people, tags, capture):
    """By the roles that see the field, of clients, of leads and of the person behind an id."""
    field, _vip, _webinar = tags
    hidden = add(cast, "sources", CustomFieldType.CHOICES, ("List",), roles=["marketing"])
    lead = capture(email="p0@example.com").lead
    for client in (people[0], people[1]):
        set_custom_values(client_id=client.pk, actor=None, values={field.pk: ["vip", "webinar"], hidden.pk: ["list"]})
    agent = secret_of(cast.agent, "clients:read", "leads:read")
    told = {"tags": ["vip", "webinar"]}
    rows = {row["id"]: row["tags"] for row in get("clients", agent).json()["data"]}
    assert [rows[client.pk] for client in people] == [told, told, {}]
    assert get(f"leads/{lead.pk}", agent).json()["tags"] == told
    assert get(f"leads/{lead.pk}?fields=id&expand=client", agent).json()["client"]["tags"] == told
    queries = []
    for limit in (1, 3):
        with CaptureQueriesContext(connection) as caught:
            get(f"clients?limit={limit}", agent)
        queries.append(len(caught))
    assert queries[0] == queries[1]
