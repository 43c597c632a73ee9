"""`bench web`: list, filter, search and profile page at two sizes, beside a bare page and a raw keyset query.

What is measured is the whole request on the server (middleware, session, queries, template), in process, without a
socket. `growth` is the large size's p95 over the small one's: constant-time pages stay near 1.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext, override_settings
from guardian.shortcuts import assign_perm

from bench.harness import Figure, analyze, at_most, interleaved, own_database, p95
from crm import partitions
from crm.choices import Role, UserKind
from crm.models import Book, Brand, Desk, User

SIZES = {"quick": (20_000, 100_000), "full": (100_000, 1_200_000)}
ROUNDS = {"quick": 40, "full": 60}
AGENTS = 200
DESKS = 10
# Rows of one size are added to those of the size before, so both are measured on one database.
FILL = """
INSERT INTO clients_client (brand_id, book_id, owner_id, stage, first_name, last_name, email, phone, country, language,
  time_zone, nationality, address_line, city, postal_code, marketing_consent, sales_status, score, kyc_level, risk_rating,
  category, restrictions, net_deposits, equity, source, campaign, created_at, last_contact_at)
SELECT b.brand_id, b.id, b.owner_id, 'lead',
  (ARRAY['Anna','Jonas','Lena','Felix','Mia','Paul','Laura','Max','Sophie','Tim','Lucia','Mateo'])[1 + n %% 12],
  (ARRAY['Schmidt','Becker','Hoffmann','Wagner','Schulz','Richter','Klein','Wolf','Garcia','Martin'])[1 + (n / 12) %% 10]
    || (n / 977)::text,
  'lead' || n || '@example.com', '+49151' || lpad(n::text, 8, '0'),
  (ARRAY['DE','AT','CH','ES','IT','FR','AU','GB'])[1 + n %% 8], (ARRAY['de','en','es'])[1 + n %% 3], '', '', '', '', '',
  true, (ARRAY['new','contacted','interested','call_back','no_answer','not_interested'])[1 + (n * 7) %% 6],
  (n * 37) %% 101, 0, 'unrated', 'retail', '{}', 0, 0, (ARRAY['google','facebook','partner','organic'])[1 + n %% 4],
  'c' || n %% 20, now() - make_interval(secs => n * 6),
  CASE WHEN n %% 3 = 0 THEN NULL ELSE now() - make_interval(secs => (n * 13) %% 5000000) END
FROM generate_series(%s, %s) n
JOIN (SELECT id, brand_id, owner_id, row_number() OVER (ORDER BY id) - 1 AS place FROM crm_book) b
  ON b.place = n %% (SELECT count(*) FROM crm_book)
"""
LEADS = """
INSERT INTO leads_lead (client_id, brand_id, channel, captured_at, source, medium, utm, click_id, referral_code, landing_url,
  referrer, user_agent_hash, country_guess, language, message, consents, typed, is_duplicate, match_reasons, idempotency_key,
  body_hash, score, score_reasons, assigned_to_id, assigned_at, routing_reasons, tried_agents, sla_missed)
SELECT c.id, c.brand_id, 'landing', c.created_at, c.source, 'cpc', '{}', '', '', '', '', '', c.country, c.language, '', '{}', '{}',
  false, '[]', '', '', c.score, '[]', c.owner_id, c.created_at, '[]', '{}', 0
FROM clients_client c WHERE c.id > %s
"""
RAW = "SELECT id, first_name, last_name, sales_status, score FROM clients_client WHERE book_id = ANY(%s) ORDER BY id DESC LIMIT 51"


def run(size: str) -> list[Figure]:
    figures: list[Figure] = []
    p95s: dict[str, list[float]] = {}
    with own_database("web"), override_settings(ROOT_URLCONF="bench.bare_urls"):
        partitions.ensure_upcoming()
        people = make_house()
        done = 0
        for rows in SIZES[size]:
            fill(done + 1, rows)
            done = rows
            figures += measure(people, rows, ROUNDS[size], p95s)
    small, large = SIZES[size]
    for name, (before, after) in p95s.items():
        figure = Figure(f"{name}: growth {small:,} → {large:,}", after, "ms", before, f"p95 at {small:,}")
        figures.append(at_most(figure, 1.2, by_ratio=True))
    return figures


def make_house() -> dict[str, User]:
    """Two brands, ten desks, two hundred agents with a book each; a desk head and someone who sees a whole brand."""
    brands = [
        Brand.objects.create(
            code=f"b{n}", name=f"Brand {n}", legal_name="", jurisdiction="CY", support_email="a@b.example"
        )
        for n in range(2)
    ]
    desks = [Desk.objects.create(brand=brands[n % 2], name=f"Desk {n}") for n in range(DESKS)]
    for number in range(AGENTS):
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


def fill(first: int, last: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM clients_client")
        newest = cursor.fetchone()[0]
        cursor.execute(FILL, [first, last])
        cursor.execute(LEADS, [newest])
    analyze()


def signed_in(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = browser.session
    session["second_factor_of"] = user.pk
    session.save()
    return browser


def pages(user: User) -> dict[str, str]:
    """Address by page, with values that match a realistic share of rows."""
    from clients.queries import clients_visible_to

    client = clients_visible_to(user).order_by("-id")[25]
    return {
        "list": "/leads/",
        "list by score": "/leads/?sort=-score",
        "filter": "/leads/?sales_status=contacted",
        "search": f"/leads/?q={client.last_name.lower()}",
        "profile": f"/clients/{client.pk}/",
    }


def measure(people: dict[str, User], rows: int, rounds: int, p95s: dict[str, list[float]]) -> list[Figure]:
    figures = []
    for person, user in people.items():
        browser = signed_in(user)
        addresses = {"bare": "/bare/", **pages(user)}
        runs: dict[str, Callable[[], object]] = {name: getter(browser, at) for name, at in addresses.items()}
        runs["raw"] = raw_query(user)
        samples = interleaved(runs, times=rounds)
        bare, raw = p95(samples["bare"]), p95(samples["raw"])
        figures.append(Figure(f"{person}, {rows:,}: raw keyset query", raw, "ms"))
        for name in addresses:
            if name == "bare":
                continue
            value = p95(samples[name])
            p95s.setdefault(f"{person}: {name}", []).append(value)
            figure = Figure(f"{person}, {rows:,}: {name} p95", value, "ms", bare, "bare page p95")
            figures.append(at_most(figure, 50))
            figures.append(Figure(f"{person}, {rows:,}: {name} queries", queries(browser, addresses[name]), "queries"))
    return figures


def getter(browser: Browser, address: str) -> Callable[[], object]:
    def get() -> object:
        answer = browser.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status_code}")
        return answer

    return get


def raw_query(user: User) -> Callable[[], object]:
    from crm.scope import reach_of

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
