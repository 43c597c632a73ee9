"""`bench web`: list, filter, search and profile page at two sizes, beside a bare page and a raw keyset query.

What is measured is the whole request on the server (middleware, session, queries, template), in process, without a
socket. `growth` is the large size's p95 over the small one's: constant-time pages stay near 1. Beside the usual pages,
every filter that the list offers is asked for in every order. Sixteen people then ask the shipped server for lists over
HTTP (`bench.web.over_http`).

The rows are made so that columns hang together as they do in a brokerage, which statistics of single columns can't know:
new leads were never contacted, a campaign fills some books only, half of the books have no lead of a status.
"""

from __future__ import annotations

import datetime as dt
import itertools
import statistics
from collections.abc import Callable

from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone
from guardian.shortcuts import assign_perm

from bench.harness import Figure, analyze, at_most, interleaved, own_database, own_pages, p95, say, work_of
from bench.web import over_http
from crm.choices import Role, UserKind
from crm.db import partitions
from crm.models import Book, Brand, Desk, User

# Leads; one client to 25 leads comes on top.
SIZES = {"tiny": (500, 1_500), "quick": (10_000, 100_000), "full": (100_000, 1_200_000)}
ROUNDS = {"tiny": 2, "quick": 20, "full": 40}
SWEEP_ROUNDS = {"tiny": 0, "quick": 1, "full": 3}
AGENTS = {"tiny": 20, "quick": 200, "full": 200}
DESKS = 10
LEADS_PER_CLIENT = 25
# Rows of one size are added to those of the size before, so both are measured on one database.
FILL = """
INSERT INTO clients_client (brand_id, book_id, owner_id, stage, first_name, last_name, email, phone, country, language,
  time_zone, nationality, address_line, city, postal_code, marketing_consent, sales_status, score, kyc_level, risk_rating,
  category, restrictions, net_deposits, source, campaign, created_at, last_contact_at, registered_at,
  first_deposit_at, last_trade_at)
SELECT b.brand_id, b.id, b.owner_id, %(stage)s,
  (ARRAY['Anna','Jonas','Lena','Felix','Mia','Paul','Laura','Max','Sophie','Tim','Lucia','Mateo'])[1 + n %% 12],
  (ARRAY['Schmidt','Becker','Hoffmann','Wagner','Schulz','Richter','Klein','Wolf','Garcia','Martin'])[1 + (n / 12) %% 10]
    || (n / 977)::text,
  %(stage)s || n || '@example.com', '+49151' || lpad(n::text, 8, '0'),
  (ARRAY['DE','AT','CH','ES','IT','FR','AU','GB'])[1 + n %% 8], (ARRAY['de','en','es'])[1 + n %% 3], '', '', '', '', '',
  true, (ARRAY['new','contacted','interested','call_back','no_answer','not_interested'])[1 + (n * 7) %% 6],
  (n * 37) %% 101, 0, 'unrated', 'retail', '{}', (n * 13) %% 9000,
  (ARRAY['google','facebook','partner','organic'])[1 + n %% 4],
  'c' || n %% 20, now() - make_interval(secs => n * %(apart)s),
  CASE WHEN n %% 3 = 0 THEN NULL ELSE now() - make_interval(secs => (n * 13) %% 5000000) END,
  CASE WHEN %(is_client)s THEN now() - make_interval(secs => n * %(apart)s) END,
  CASE WHEN %(is_client)s AND n %% 2 = 0 THEN now() - make_interval(secs => n * %(apart)s * 5 / 6) END,
  CASE WHEN %(is_client)s AND n %% 4 = 0 THEN now() - make_interval(secs => n * %(apart)s / 2) END
FROM generate_series(%(first)s, %(last)s) n
JOIN (SELECT id, brand_id, owner_id, row_number() OVER (ORDER BY id) - 1 AS place FROM crm_book) b
  ON b.place = n %% (SELECT count(*) FROM crm_book)
"""
LEADS = """
INSERT INTO leads_lead (client_id, brand_id, book_id, channel, captured_at, source, medium, utm, click_id, referral_code, sub_id,
  landing_url, referrer, user_agent_hash, country_guess, language, message, consents, typed, is_duplicate, match_reasons,
  idempotency_key, body_hash, score, score_reasons, assigned_to_id, assigned_at, routing_reasons, tried_agents, sla_missed, refusal,
  learned_reasons)
SELECT c.id, c.brand_id, c.book_id, 'landing', c.created_at, c.source, 'cpc', '{}', '', '', '', '', '', '', c.country, c.language,
  '', '{}', '{}', false, '[]', '', '', c.score, '[]', c.owner_id, c.created_at, '[]', '{}', 0, '', '{}'
FROM clients_client c WHERE c.id > %s
"""
RAW = "SELECT id, first_name, last_name, sales_status, score FROM clients_client WHERE book_id = ANY(%s) ORDER BY id DESC LIMIT 51"


# Every filter of the list with a value that many match, or few, or in some books none; and what people combine.
FILTERS = [
    "",
    "sales_status=new",
    "sales_status=contacted",
    "sales_status=contacted&sales_status=no_answer",
    "country=DE",
    "language=de",
    "owner={owner}",
    "desk={desk}",
    "book={book}",
    "brand={brand}",
    "score_from=90",
    "score_from=100",
    "not_contacted_since={days_ago}",
    "source=google",
    "campaign=c7",
    "campaign=nobody",
    "country=DE&sales_status=contacted",
    "country=FR&sales_status=call_back&source=partner&language=es",
    "q=anna",
    "q=schmidt",
    "q=schmidt12",
    "q=nobodyatall",
    "q=anna&country=DE&sales_status=contacted",
]
ORDERS = ["", "sort=created_at", "sort=score", "sort=-score", "sort=last_contact_at", "sort=-last_contact_at"]


def run(size: str) -> list[Figure]:
    figures: list[Figure] = []
    p95s: dict[str, list[float]] = {}
    with own_database("web"), own_pages(), override_settings(ROOT_URLCONF="bench.bare_urls"):
        partitions.ensure_upcoming()
        people = make_house(AGENTS[size])
        done = 0
        for rows in SIZES[size]:
            say(f"filling up to {rows:,} leads")
            fill(done + 1, rows)
            done = rows
            for person, user in people.items():
                say(f"{person} at {rows:,}")
                figures += measure(person, user, rows, ROUNDS[size], p95s)
                if rows == SIZES[size][-1] or size == "full":
                    figures += sweep(person, user, rows, SWEEP_ROUNDS[size], p95s)
        say("over HTTP")
        figures += over_http.measure(sixteen_people(people), done, size)
    small, large = SIZES[size]
    for name, (before, after) in ((name, values) for name, values in p95s.items() if len(values) > 1):
        figure = Figure(f"{name}: growth {small:,} → {large:,}", after, "ms", before, f"p95 at {small:,}")
        figures.append(at_most(figure, 1.2, by_ratio=True))
    return figures


def make_house(agents: int) -> dict[str, User]:
    """Two brands, ten desks, agents with a book each; a desk head and someone who sees a whole brand."""
    brands = [
        Brand.objects.create(
            code=f"b{n}", name=f"Brand {n}", legal_name="", jurisdiction="CY", support_email="a@b.example"
        )
        for n in range(2)
    ]
    desks = [Desk.objects.create(brand=brands[n % 2], name=f"Desk {n}") for n in range(DESKS)]
    for number in range(agents):
        desk = desks[number % DESKS]
        agent = make_user(f"agent{number}", Role.AGENT, desk)
        Book.objects.create(brand_id=desk.brand_id, desk=desk, name=f"Book {number}", owner=agent)
    head, officer = make_user("head", Role.DESK_HEAD, desks[0]), make_user("officer", Role.MLRO, desks[0])
    assign_perm("crm.access_desk", head, desks[0])
    assign_perm("crm.access_brand", officer, brands[0])
    return {"agent": User.objects.get(username="agent0"), "desk head": head, "whole brand": officer}


def make_user(name: str, role: Role, desk: Desk) -> User:
    user = User.objects.create(
        username=name, email=f"{name}@bench.example", kind=UserKind.STAFF, brand_id=desk.brand_id, desk=desk
    )
    user.groups.add(Group.objects.get(name=role.value))
    return user


def fill(first: int, last: int, *, seconds_apart: float = 6) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM clients_client")
        newest = cursor.fetchone()[0]
        cursor.execute(
            FILL, {"stage": "lead", "is_client": False, "first": first, "last": last, "apart": seconds_apart}
        )
        clients = {"first": first // LEADS_PER_CLIENT + 1, "last": last // LEADS_PER_CLIENT, "apart": seconds_apart}
        cursor.execute(FILL, {"stage": "active", "is_client": True, **clients})
        cursor.execute(LEADS, [newest])
    analyze()


def sixteen_people(people: dict[str, User]) -> list[Browser]:
    """Sign in whom a floor of sixteen has: twelve agents of as many books, two desk heads and two who see the whole brand."""
    agents = User.objects.filter(username__in=[f"agent{number}" for number in range(12)])
    return [signed_in(user) for user in [*agents, *[people["desk head"], people["whole brand"]] * 2]]


def signed_in(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user, backend="crm.accounts.backends.SignInBackend")
    session = browser.session
    session["second_factor_of"] = user.pk
    session.save()
    return browser


def pages(user: User) -> dict[str, str]:
    """Address by page, with values that match a realistic share of rows."""
    from clients.queries import clients_visible_to

    client = clients_visible_to(user).filter(stage="lead").order_by("-id")[10]
    return {
        "list": "/leads/",
        "list by score": "/leads/?sort=-score",
        "filter": "/leads/?sales_status=contacted",
        "search": f"/leads/?q={client.last_name.lower()}",
        "profile": f"/clients/{client.pk}/",
        "list of clients": "/clients/",
        "clients by deposits": "/clients/?sort=-net_deposits",
    }


def measure(person: str, user: User, rows: int, rounds: int, p95s: dict[str, list[float]]) -> list[Figure]:
    """The usual pages, in turns with the yardsticks."""
    browser, figures = signed_in(user), []
    addresses = {"bare": "/bare/", **pages(user)}
    runs: dict[str, Callable[[], object]] = {name: getter(browser, at) for name, at in addresses.items()}
    runs["raw"] = raw_query(user)
    samples = interleaved(runs, times=rounds)
    bare = p95(samples["bare"])
    figures.append(Figure(f"{person}, {rows:,}: raw keyset query p95", p95(samples["raw"]), "ms"))
    figures.append(Figure(f"{person}, {rows:,}: bare page p95", bare, "ms"))
    for name in addresses:
        if name == "bare":
            continue
        value = p95(samples[name])
        p95s.setdefault(f"{person}: {name}", []).append(value)
        figures.append(at_most(Figure(f"{person}, {rows:,}: {name} p95", value, "ms", bare, "bare page p95"), 50))
        figures.append(Figure(f"{person}, {rows:,}: {name} queries", queries(browser, addresses[name]), "queries"))
    work = work_of(runs, times=max(rounds // 2, 1))
    for name in ("list", "profile"):
        beside = Figure(f"{person}, {rows:,}: {name}, processor time", work[name], "ms", work["bare"], "bare page")
        figures.append(at_most(beside, 2.5, by_ratio=True))
    return figures


def sweep(person: str, user: User, rows: int, rounds: int, p95s: dict[str, list[float]]) -> list[Figure]:
    """Every filter in every order: the 95th percentile of all of them, and the slowest by its median."""
    from crm.security.scope import reach_of

    book = Book.objects.filter(pk__in=reach_of(user).books).order_by("-pk")[0]
    values = {
        "owner": book.owner_id,
        "desk": book.desk_id,
        "book": book.pk,
        "brand": book.brand_id,
        "days_ago": timezone.localdate() - dt.timedelta(days=14),
    }
    browser = signed_in(user)
    asked = ["&".join(filter(None, pair)).format(**values) for pair in itertools.product(FILTERS, ORDERS)]
    if not rounds:
        asked, rounds = asked[::17], 1
    runs = {query: getter(browser, f"/leads/?{query}") for query in asked}
    samples = interleaved(runs, times=rounds, warm_up=int(rounds > 1))
    work = work_of(runs, times=rounds)
    everything = p95([value for each in samples.values() for value in each])
    p95s.setdefault(f"{person}: every filter in every order", []).append(everything)
    slowest = max(samples, key=lambda query: statistics.median(samples[query]))
    hardest = max(work, key=lambda query: work[query])
    most = max(queries(browser, f"/leads/?{query}") for query in asked[::7])
    head = f"{person}, {rows:,}: {len(asked)} filters and orders"
    return [
        at_most(Figure(f"{head}, p95 of all", everything, "ms"), 50),
        at_most(Figure(f"{head}, slowest ({slowest})", statistics.median(samples[slowest]), "ms"), 50),
        Figure(f"{head}, processor time, p95 of all", p95(list(work.values())), "ms"),
        Figure(f"{head}, most processor time ({hardest})", work[hardest], "ms"),
        Figure(f"{head}, most queries", most, "queries"),
    ]


def getter(browser: Browser, address: str) -> Callable[[], object]:
    def get() -> object:
        answer = browser.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status_code}")
        return answer

    return get


def raw_query(user: User) -> Callable[[], object]:
    from crm.security.scope import reach_of

    books = sorted(reach_of(user).books)

    def query() -> object:
        with connection.cursor() as cursor:
            cursor.execute(RAW, [books])
            return cursor.fetchall()

    return query


def queries(browser: Browser, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        browser.get(address)
    return len(captured)
