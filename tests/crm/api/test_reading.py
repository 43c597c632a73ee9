"""What all declared resources share: cursors, fields, expand, filters, masks, scopes, visibility, the access log."""

import datetime as dt
import secrets

import pytest
from django.test import Client as Caller
from django.utils import timezone

from clients.models import Client, Note, Task
from crm.api.resources import RESOURCES
from crm.api.tokens import hash_of
from crm.models import AccessEvent, ApiToken
from tests.cast import make_client

pytestmark = pytest.mark.django_db


def secret_of(user, *scopes) -> str:
    """A token with these scopes; powerful ones as if a second person had approved them."""
    secret = f"kpt_{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(
        user=user,
        created_by=user,
        name="Test",
        scopes=list(scopes),
        hint=secret[:10],
        secret_hash=hash_of(secret),
        expires_at=timezone.now() + dt.timedelta(days=1),
    )
    return secret


def get(path: str, secret: str, **headers):
    return Caller().get(f"/api/v1/{path}", headers={"authorization": f"Bearer {secret}", **headers})


@pytest.fixture
def people(cast) -> list[Client]:
    return [
        make_client(
            brand=cast.brand, book=cast.book, email=f"p{n}@example.com", login=False, first_name=f"P{n}", country="DE"
        )
        for n in range(5)
    ]


def test_a_list_is_paged_by_cursor_until_its_end(cast, people):
    secret = secret_of(cast.desk_head, "clients:read")
    seen, path = [], "clients?limit=2&country=DE&fields=id"
    while path:
        answer = get(path, secret)
        assert answer.status_code == 200, answer.content
        page = answer.json()
        seen += [row["id"] for row in page["data"]]
        assert ("Link" in answer) == bool(page["next_cursor"])
        path = f"clients?limit=2&country=DE&fields=id&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    mine = set(Client.objects.filter(country="DE", brand=cast.brand).values_list("pk", flat=True))
    assert seen == sorted(mine, reverse=True)
    assert get("clients?order=oldest&limit=1&country=DE", secret).json()["data"][0]["id"] == min(mine)


def test_fields_expand_and_filters(cast, people):
    Task.objects.create(
        client=people[0], assignee=cast.agent, title="Call", due_at=dt.datetime(2026, 1, 1, 9, tzinfo=dt.UTC)
    )
    secret = secret_of(cast.desk_head, "clients:read")
    task = get("tasks?due_at[gte]=2026-01-01T00:00:00Z&due_at[lt]=2026-01-02T00:00:00Z&expand=client", secret).json()[
        "data"
    ][0]
    assert (task["due_at"], task["client"]["first_name"]) == ("2026-01-01T09:00:00Z", "P0")
    assert get(f"clients/{people[1].pk}?fields=id,net_deposits", secret).json() == {
        "id": people[1].pk,
        "net_deposits": {"amount": "0.00", "currency": "EUR"},
    }
    for path, parameter in (
        ("clients?colour=red", "colour"),
        ("clients?fields=id,secret", "fields"),
        ("clients?expand=book", "expand"),
        ("clients?limit=0", "limit"),
        ("clients?limit=1&limit=2", "limit"),
        ("clients?owner_id=x", "owner_id"),
        ("clients?created_at[gte]=yesterday", "created_at[gte]"),
        ("clients?created_at[like]=2026", "created_at[like]"),
        ("clients?order=best", "order"),
    ):
        answer = get(path, secret)
        assert (answer.status_code, answer.json()["code"], answer.json()["parameter"]) == (
            400,
            "invalid_request",
            parameter,
        )
        assert answer["Content-Type"] == "application/problem+json"
    for cursor in ("x", "W10", "WyJhIl0", "WzEsMl0"):
        assert get(f"clients?cursor={cursor}", secret).json()["code"] == "invalid_cursor"
    assert get("clients?stage=%00", secret).status_code == 400
    assert get("clients", secret, **{"Keelson-Version": "1999-01-01"}).json()["code"] == "unknown_version"


def test_contacts_are_masked_without_scope_and_right_and_seeing_them_is_logged(cast, people):
    one = people[0]
    masked = get(f"clients/{one.pk}", secret_of(cast.finance, "clients:read")).json()["email"]
    assert masked != one.email
    # A desk head lacks the right, whatever the token may.
    assert (
        get(f"clients/{one.pk}", secret_of(cast.desk_head, "clients:read", "contacts:read")).json()["email"] == masked
    )
    assert not AccessEvent.objects.filter(kind="reveal").exists()
    assert (
        get(f"clients/{one.pk}", secret_of(cast.finance, "clients:read", "contacts:read")).json()["email"] == one.email
    )
    row = AccessEvent.objects.get(kind="reveal")
    assert (row.client_id, row.user_id, row.target) == (one.pk, cast.finance.pk, f"api:clients:{one.pk}")
    get("clients?limit=3", secret_of(cast.finance, "clients:read"))
    assert AccessEvent.objects.get(kind="export").rows == 3


def test_an_etag_spares_what_has_not_changed(cast, people):
    secret = secret_of(cast.finance, "clients:read")
    first = get(f"clients/{people[0].pk}", secret)
    assert get(f"clients/{people[0].pk}", secret, **{"if-none-match": first["ETag"]}).status_code == 304
    Client.objects.filter(pk=people[0].pk).update(score=77)
    assert get(f"clients/{people[0].pk}", secret, **{"if-none-match": first["ETag"]}).json()["score"] == 77


def test_every_resource_asks_for_its_scope_and_its_right_and_shows_no_stranger_s_rows(cast, people):
    """For each resource: wrong scope, no right, another brand; and what is there takes the same queries for many as for one."""
    everything = [resource.scope for resource in RESOURCES.values()]
    none = secret_of(cast.finance, "kpis:none")
    theirs = secret_of(cast.administrator, *everything)
    for name, resource in RESOURCES.items():
        refused = get(name, none)
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope"), name
        assert refused.json()["scope"] == resource.scope
        answer = get(name, theirs)
        assert answer.status_code == (200 if cast.administrator.has_perm(resource.permission) else 403), (
            name,
            answer.content,
        )
        assert get(f"{name}/999999999", theirs).status_code in (403, 404)
    stranger = make_client(brand=cast.other_brand, book=cast.other_book, email="far@example.com", login=False)
    secret = secret_of(cast.desk_head, *everything)
    note = Note.objects.create(client=stranger, author=cast.other_agent, body="Secret")
    for path in (f"clients/{stranger.pk}", f"notes/{note.pk}"):
        assert get(path, secret).status_code == 404
    assert get(f"notes?client_id={stranger.pk}", secret).json()["data"] == []


def test_a_list_takes_the_same_queries_however_long_it_is(cast, people, django_assert_max_num_queries):
    secret = secret_of(cast.finance, "clients:read")
    for person in people:
        Note.objects.create(client=person, author=cast.agent, body="Called")
    get("notes", secret)  # notes when the token was used
    with django_assert_max_num_queries(6):
        assert len(get("notes?expand=client&limit=1", secret).json()["data"]) == 1
    with django_assert_max_num_queries(6):
        assert len(get("notes?expand=client", secret).json()["data"]) == 5


def test_clients_are_filtered_by_conditions_over_the_facts(cast, people):
    """The same expression as in lists and segments; what can't be read is refused in words."""
    secret = secret_of(cast.desk_head, "clients:read")
    Client.objects.filter(pk=people[1].pk).update(score=77)
    facts = get("client-facts", secret).json()
    score = next(one for one in facts if one["name"] == "score")
    assert score["type"] == "number" and "ge" in score["operators"]
    where = (
        '{"all": [{"field": "score", "is": "ge", "value": "70"}, {"field": "country", "is": "in", "value": ["DE"]}]}'
    )
    found = get(f"clients?where={where}&fields=id", secret)
    assert found.status_code == 200, found.content
    assert found.json()["data"] == [{"id": people[1].pk}]
    deep = '{"not":' * 60 + "{}" + "}" * 60
    for wrong in ("{", "[]", "7", '{"field":"secret","is":"ge","value":1}', "{}" * 3000, deep, '{"all": 7}', "null"):
        answer = get(f"clients?where={wrong}", secret)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), wrong[:40]
    assert get("notes?where={}", secret).status_code == 400
