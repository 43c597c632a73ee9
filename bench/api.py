"""`bench api`: lists of the API beside a plain JSON view of the same query, all clients by `updated_since`, cost of its numbers.

Requests run on the server in process, without a socket: middleware, token, limits, query, access log. The plain view is behind
the same middleware and reads the same token, then answers the query's rows as they are. How long an event takes to its first
receiver is in `bench webhooks`.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from functools import partial
from unittest.mock import patch

import orjson
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client as Browser
from django.test.utils import override_settings
from django.urls import include, path
from django.utils import timezone

from bench import web
from bench.harness import Figure, at_most, in_a_process, interleaved, own_database, own_pages, p95, say, work_of
from clients.models import Client
from clients.queries import clients_visible_to
from crm.api import limits
from crm.api.authentication import TokenAuth
from crm.api.resources import RESOURCES
from crm.api.tokens import hash_of
from crm.db import partitions
from crm.models import ApiToken, User
from leads.queries import leads_visible_to

SIZES = {"tiny": (2_000, 3, 200), "quick": (200_000, 25, 4_000), "full": (1_200_000, 60, 20_000)}
AGENTS = {"tiny": 20, "quick": 200, "full": 200}
P95_MS, RATIO, GROWTH_MB, WRITE_RATIO = 40, 1.3, 32, 1.5
SCOPES = ["clients:read", "leads:read"]
LIMIT = 50
DROP = "DROP INDEX clients_by_change; ALTER TABLE clients_client DISABLE TRIGGER change_is_numbered"
BACK = """
CREATE INDEX clients_by_change ON clients_client (changed_in, id);
ALTER TABLE clients_client ENABLE TRIGGER change_is_numbered
"""


def plain(request: HttpRequest, name: str) -> HttpResponse:
    """Answer the newest rows of a list without fields, cursors, masks and the access log: the yardstick."""
    principal = TokenAuth()(request)
    resource = RESOURCES[name]
    paths = [one for field in resource.fields for one in field.paths]
    condition = {key: value for key, value in request.GET.items() if key in resource.by_name}
    rows = resource.rows(principal.user).filter(**condition).order_by("-id").values(*paths)[:LIMIT]
    return HttpResponse(orjson.dumps({"data": list(rows)}, default=str), content_type="application/json")


urlpatterns = [path("plain/<slug:name>", plain), path("", include("crm.urls"))]


def run(size: str) -> list[Figure]:
    rows, rounds, written = SIZES[size]
    boundless = patch.multiple(limits, PER_TOKEN=10**9, PER_BRAND=10**9)
    with own_database("api"), own_pages(), override_settings(ROOT_URLCONF="bench.api"), boundless:
        return measure(rows, rounds, AGENTS[size], written)


def measure(rows: int, rounds: int, agents: int, written: int) -> list[Figure]:
    partitions.ensure_upcoming()
    people = web.make_house(agents)
    say(f"filling up to {rows:,} leads and clients")
    web.fill(1, rows)
    figures = []
    for person, user in people.items():
        say(f"lists as {person}")
        figures += _lists(person, user, rounds)
    say("all changes")
    figures += _changes(people["whole brand"])
    say("writes with and without numbers")
    return [*figures, *_writes(written)]


def caller(user: User) -> Browser:
    """Return a caller with a token of this person."""
    secret = f"kpt_bench{user.pk}"
    ApiToken.objects.get_or_create(
        secret_hash=hash_of(secret),
        defaults={
            "user": user,
            "created_by": user,
            "name": "Bench",
            "scopes": SCOPES,
            "hint": secret[:10],
            "expires_at": timezone.now() + dt.timedelta(days=1),
        },
    )
    return Browser(headers={"authorization": f"Bearer {secret}"})


def _lists(person: str, user: User, rounds: int) -> list[Figure]:
    """Measure pages of lists in turns with the plain views of the same queries; further ones against the clock only."""
    browser = caller(user)
    lead = leads_visible_to(user).order_by("-id")[0]
    addresses = {
        "clients": ("/api/v1/clients", "/plain/clients"),
        "clients by stage": ("/api/v1/clients?stage=active", "/plain/clients?stage=active"),
        "leads": ("/api/v1/leads", "/plain/leads"),
        "clients, in the middle": (f"/api/v1/clients?cursor={_middle(user)}", ""),
        "clients by campaign and country": ("/api/v1/clients?campaign=c7&country=DE", ""),
        "clients by a condition": ('/api/v1/clients?where={"field":"score","is":"ge","value":"100"}', ""),
        "clients, oldest first": ("/api/v1/clients?order=oldest", ""),
        "leads with their clients": ("/api/v1/leads?expand=client", ""),
        "three fields of 200 clients": ("/api/v1/clients?fields=id,stage,email&limit=200", ""),
        "clients by updated_since": ("/api/v1/clients?updated_since=beginning", ""),
        "one lead": (f"/api/v1/leads/{lead.pk}", ""),
    }
    runs = {name: web.getter(browser, ours) for name, (ours, _bare) in addresses.items()}
    runs |= {f"plain {name}": web.getter(browser, bare) for name, (_ours, bare) in addresses.items() if bare}
    samples = interleaved(runs, times=rounds)
    work = work_of(runs, times=max(rounds // 2, 1))
    figures = []
    for name, (_ours, bare) in addresses.items():
        clock = (p95(samples[f"plain {name}"]), "plain JSON view") if bare else ()
        figures.append(at_most(Figure(f"{person}: {name}, p95", p95(samples[name]), "ms", *clock), P95_MS))
        if bare:
            beside = Figure(
                f"{person}: {name}, processor time", work[name], "ms", work[f"plain {name}"], "plain JSON view"
            )
            figures.append(at_most(beside, RATIO, by_ratio=True))
        else:
            figures.append(Figure(f"{person}: {name}, processor time", work[name], "ms"))
    return figures


def _middle(user: User) -> str:
    """Return a cursor in the middle of a person's clients."""
    ids = clients_visible_to(user).order_by("-id").values_list("pk", flat=True)
    return base64.urlsafe_b64encode(orjson.dumps([ids[ids.count() // 2]])).decode().rstrip("=")


def _changes(user: User) -> list[Figure]:
    """Read all clients of a brand by `updated_since`, in a process of its own."""
    count = clients_visible_to(user).count()
    some = min(count // 10, 5_000)
    _seconds, first = in_a_process(partial(_read_all, user, some))
    seconds, grown = in_a_process(partial(_read_all, user, count))
    mb = 2**20
    return [
        Figure(f"{count:,} clients read by updated_since", count / seconds, "records/s"),
        at_most(Figure("memory grown meanwhile", grown / mb, "MB", first / mb, f"for the first {some:,}"), GROWTH_MB),
    ]


def _read_all(user: User, count: int) -> None:
    """Follow the cursors. Raises: RuntimeError where fewer records come than there are."""
    browser, got, since = caller(user), 0, "beginning"
    address = "/api/v1/clients?limit=200&updated_since="
    cursor = ""
    while got < count:
        answer = browser.get(f"{address}{since}{cursor}")
        page = orjson.loads(answer.content)
        got += len(page["data"])
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    if got < count:
        raise RuntimeError(f"{got} of {count} clients were listed")


def _writes(count: int) -> list[Figure]:
    """Measure updates of single clients and of many, with the trigger and the index of `changed_in` and without them."""
    ids = list(Client.objects.order_by("-id").values_list("pk", flat=True)[:count])
    runs: dict[str, Callable[[], object]] = {
        "one by one": partial(_one_by_one, ids[: count // 10]),
        "in a set": partial(_in_a_set, ids),
    }
    samples: dict[tuple[str, bool], list[float]] = {}
    for is_numbered in (True, False, True, False):
        with connection.cursor() as cursor:
            if not is_numbered:
                cursor.execute(DROP)
        for name, spent in work_of(runs, times=5).items():
            samples.setdefault((name, is_numbered), []).append(spent)
        with connection.cursor() as cursor:
            if not is_numbered:
                cursor.execute(BACK)
    figures = []
    for name in runs:
        with_numbers, without = (min(samples[name, key]) for key in (True, False))
        figure = Figure(
            f"updates of clients {name}, processor time", with_numbers, "ms", without, "without numbers of changes"
        )
        figures.append(at_most(figure, WRITE_RATIO, by_ratio=True))
    return figures


def _one_by_one(ids: list[int]) -> None:
    with connection.cursor() as cursor:
        for pk in ids:
            with transaction.atomic():
                cursor.execute("UPDATE clients_client SET score = (score + 1) %% 100 WHERE id = %s", [pk])


def _in_a_set(ids: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE clients_client SET score = (score + 1) %% 100 WHERE id = ANY(%s)", [ids])
