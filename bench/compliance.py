"""bench compliance: how well and how fast clients are compared with the lists.

Quality: labelled pairs from the lists' own aliases (`compliance.matching.calibration`), the half that rules aren't tuned on, by
script and kind, beside rapidfuzz's token_set_ratio at the threshold that is best for it on these very pairs; and false hits among
5,000 ordinary clients (`bench/data`) against the real lists alone. Speed: everybody against 50,000 entries, one name, a delta of
500 entries against very many clients. Entries beyond the real lists are names of theirs with their words shuffled. Then AML rules
over many movements, as `bench aml` measures them.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import itertools
import json
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from anyascii import anyascii
from django.conf import settings
from django.db import connection
from rapidfuzz import fuzz

from bench import aml
from bench.harness import Figure, analyze, at_least, at_most, cpu_ms, own_database, p95, say
from bench.web import FILL, make_house
from compliance import rescreening, screening
from compliance.matching.calibration import REPORTED, NamePair, Quality, entries_of, judge, pairs_of
from compliance.matching.firms import compare_firms
from compliance.matching.score import Person, compare_names
from compliance.models import Hit, ListEntry, ListVersion
from compliance.sources import house
from compliance.watchlists import import_watchlist
from crm.db import partitions

DATA: Final = Path(settings.BASE_DIR) / "compliance" / "data"
NAMES: Final = Path(settings.BASE_DIR) / "bench" / "data" / "ordinary-names.json.gz"
LISTS: Final = (
    ("un", "un-2026-02-27.xml.gz"),
    ("ofac-consolidated", "cons_prim.csv.gz"),
    ("eu-journal", "eu-journal"),
    ("canada-sema", "canada-sema-2025.xml.gz"),
)
# Clients and entries of the full run, clients of the delta.
SIZES: Final = {"tiny": (300, 8_000, 600), "quick": (4_000, 50_000, 100_000), "full": (20_000, 50_000, 1_000_000)}
ORDINARY: Final = {"tiny": 300, "quick": 5_000, "full": 5_000}
LOOKED_UP: Final = {"tiny": 20, "quick": 300, "full": 300}
DELTA = 500
THRESHOLD: Final = 0.8
# A pair as alike, or as unlike, as this is one that nobody doubts: an error with it is a strong one.
SURELY_SAME, SURELY_OTHER = 0.95, 0.55
FULL_SECONDS_MAX, DELTA_SECONDS_MAX, NAME_MS_MAX, PAIR_MS_MAX = 60, 60, 20, 1
F1_MIN, STRONG_MAX, FALSE_MAX = 0.85, 2, 10
RECALL_MIN: Final = {"arabic": 0.8, "cyrillic": 0.95}
EAST_ASIAN: Final = ("zh_CN", "ja_JP", "ko_KR")
# The nationality that goes with a file of names; three of them are a language's.
COUNTRIES: Final = {"ar_AA": "AE", "en_IN": "IN", "en_PK": "PK", "en_NG": "NG"}


def run(size: str) -> list[Figure]:
    figures = quality_figures()
    clients, entries, many = SIZES[size]
    with own_database("compliance"), tempfile.TemporaryDirectory() as folder:
        partitions.ensure_upcoming()
        make_house(20)
        for source, file in LISTS:
            import_watchlist(source=source, path=DATA / file, actor=None)
        figures.append(false_hits(ORDINARY[size]))
        say(f"filling up to {entries:,} entries and {clients:,} clients")
        _load_house(Path(folder), entries - ListEntry.objects.count())
        _fill(1, clients)
        figures += _one_name(LOOKED_UP[size])
        figures += _timed(
            f"{clients:,} clients × {entries:,} entries", rescreening.screen_everybody, FULL_SECONDS_MAX, clients
        )
        figures.append(Figure("possible matches of that run", Hit.objects.count(), "matches"))
        say(f"filling up to {many:,} clients")
        _fill(clients + 1, many)
        rescreening.refresh_keys()
        analyze()
        version = _load_house(Path(folder), entries - ListEntry.objects.count() + DELTA, seed=2)
        delta = rescreening.screen_version
        figures += _timed(f"{DELTA} new entries × {many:,} clients", lambda: delta(version.pk), DELTA_SECONDS_MAX, many)
    return figures if size == "tiny" else [*figures, *aml.run(size)]


# ── quality ────────────────────────────────────────────────────────────────────────────────────────────────────────
def quality_figures() -> list[Figure]:
    """Measure the matcher on the half that it wasn't tuned on, beside the yardstick at its own best threshold."""
    pairs = [pair for pair in pairs_of(entries_of(DATA)) if pair.half == REPORTED]
    started = time.process_time()
    ours = {pair: score(pair) for pair in pairs}
    pair_ms = (time.process_time() - started) * 1000 / len(pairs)
    theirs = {pair: plain_score(pair) for pair in pairs}
    best = max((step / 100 for step in range(50, 100)), key=lambda limit: judge(pairs, theirs.__getitem__, limit).f1)
    groups: dict[str, list[NamePair]] = defaultdict(list)
    for pair in pairs:
        for name in groups_of(pair):
            groups[name].append(pair)
    figures = []
    for name, some in sorted(groups.items()):
        mine, plain = judge(some, ours.__getitem__, THRESHOLD), judge(some, theirs.__getitem__, best)
        figure = Figure(f"F1, {name} ({len(some)} pairs)", mine.f1, "F1", plain.f1, f"token_set_ratio at {best:.2f}")
        figures.append(at_least(figure, F1_MIN) if name == "all" else figure)
    for script, least in RECALL_MIN.items():
        some = [pair for pair in pairs if pair.group == script]
        mine, plain = judge(some, ours.__getitem__, THRESHOLD), judge(some, theirs.__getitem__, best)
        figure = Figure(f"aliases found, {script} ({len(some)})", mine.recall, "share", plain.recall, "token_set_ratio")
        figures.append(at_least(figure, least))
    found = judge(pairs, ours.__getitem__, THRESHOLD)
    strong = Figure(
        "strong errors", strong_errors(found), "pairs", strong_errors(judge(pairs, theirs.__getitem__, best)), "same"
    )
    figures.append(at_most(strong, STRONG_MAX))
    figures.append(at_most(Figure("one pair, processor time", pair_ms, "ms"), PAIR_MS_MAX))
    return figures


def score(pair: NamePair) -> float:
    compare = compare_firms if pair.is_firm else compare_names
    return compare(pair.one, pair.other).name_score


def plain_score(pair: NamePair) -> float:
    return float(fuzz.token_set_ratio(_plain(pair.one), _plain(pair.other))) / 100


def _plain(name: str) -> str:
    return str(anyascii(name)).lower()


def groups_of(pair: NamePair) -> tuple[str, ...]:
    """Name the rows of the report that a pair belongs to."""
    return ("all", "companies" if pair.is_firm else "persons", *([f"with {pair.group}"] if not pair.is_firm else []))


def strong_errors(found: Quality) -> int:
    """Count the errors on pairs that leave no doubt: nearly the same words said to differ, or other words said to agree."""
    return sum(_is_strong(pair) for pair in found.wrong)


def _is_strong(pair: NamePair) -> bool:
    alike = float(fuzz.token_sort_ratio(_plain(pair.one), _plain(pair.other))) / 100
    return alike >= SURELY_SAME if pair.is_same else alike <= SURELY_OTHER


def ordinary_people(count: int, *, seed: int = 5) -> Iterator[Person]:
    """Make ordinary clients: frequent names of 29 countries in their own scripts, births from 1950 to 2005."""
    rng = random.Random(seed)  # the same people every time
    names = json.loads(gzip.decompress(NAMES.read_bytes()))
    for locale in itertools.islice(itertools.cycle(sorted(names)), count):
        sex = rng.choice("mf")
        given, family = rng.choice(names[locale][sex]), rng.choice(names[locale][f"last_{sex}"])
        whole = f"{family}{given}" if locale in EAST_ASIAN else f"{given} {family}"
        born = dt.date(1950, 1, 1) + dt.timedelta(days=rng.randrange(365 * 55))
        yield Person((whole,), born, (COUNTRIES.get(locale, locale[3:]),))


def false_hits(count: int) -> Figure:
    """Count the ordinary clients who'd be held against the real lists."""
    people = list(ordinary_people(count))
    held = sum(bool(screening.matches(person, threshold=THRESHOLD)[0]) for person in people)
    return at_most(Figure(f"false hits among {count:,} ordinary clients with birth date", held, "clients"), FALSE_MAX)


# ── speed ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def _one_name(count: int) -> list[Figure]:
    people = list(ordinary_people(count, seed=6))
    walls, cpus = [], []
    for person in people:
        started, used = time.perf_counter(), cpu_ms()
        screening.matches(person, threshold=THRESHOLD)
        walls.append((time.perf_counter() - started) * 1000)
        cpus.append(cpu_ms() - used)
    return [
        at_most(Figure("one name, p95", p95(walls), "ms"), NAME_MS_MAX),
        Figure("one name, processor time, median", statistics.median(cpus), "ms"),
    ]


def _timed(name: str, work: object, seconds_max: float, clients: int) -> list[Figure]:
    assert callable(work)
    started, used = time.perf_counter(), cpu_ms()
    work()
    wall, cpu = time.perf_counter() - started, (cpu_ms() - used) / 1000
    return [
        at_most(Figure(name, wall, "s"), seconds_max),
        Figure(f"{name}, processor time", cpu, "s"),
        Figure(f"{name}, per 1,000 clients", wall * 1000 / clients, "s"),
    ]


def _load_house(folder: Path, count: int, *, seed: int = 1) -> ListVersion:
    """Add made-up entries to the brokerage's own list; those that are there stay as they are."""
    path = folder / f"house-{seed}.csv"
    rng = random.Random(seed)  # the same entries every time
    words = [name.split() for name in ListEntry.objects.filter(kind="person").values_list("primary_name", flat=True)]
    words = [parts for parts in words if len(parts) > 1]
    kept = ListEntry.objects.filter(source__code="house").values_list("external_id", "primary_name", "births")
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(house.COLUMNS)
        for external_id, name, births in kept.iterator():
            writer.writerow([external_id, name, "", births[0]["first"][:4], "", ""])
        for number in range(max(0, count)):
            name = f"{rng.choice(words)[0]} {rng.choice(words)[-1]}"
            writer.writerow([f"{seed}-{number}", name, "", 1940 + rng.randrange(60), "", ""])
    return import_watchlist(source="house", path=path, actor=None)


def _fill(first: int, last: int) -> None:
    """Add clients with ordinary names."""
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"stage": "active", "is_client": True, "first": first, "last": last, "apart": 6})
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS bench_person (n int PRIMARY KEY, name text, born date, country text)"
        )
        cursor.execute("TRUNCATE bench_person")
        with cursor.copy("COPY bench_person FROM STDIN") as copy:
            for number, person in enumerate(ordinary_people(50_000, seed=7)):
                copy.write_row([number, person.names[0], person.birth_date, person.countries[0]])
        cursor.execute(
            "UPDATE clients_client c SET first_name = split_part(p.name, ' ', 1), "
            "last_name = substr(p.name, length(split_part(p.name, ' ', 1)) + 2), date_of_birth = p.born, nationality = p.country "
            "FROM bench_person p WHERE p.n = c.id % 50000 AND c.date_of_birth IS NULL"
        )
    analyze()
