"""The engine against the brute force on thousands of random trades, beside the suite: `CASES=10000 pytest tests/ib/many_cases.py`.

A case is one trade, or one sold challenge, in a random world of its own tree, agreements and plans: all of its lines must be the
oracle's, calculated in parts, together, and again. Every component that a plan can pay must have been paid. Worlds are numbered,
so that one that differs is found again: `FIRST` begins with another number.
"""

import os
from collections import Counter

import pytest

from ib.choices import Component
from tests.ib import factories
from tests.ib.test_oracle import check_world
from tests.ib.test_sold_worlds import check_shop

pytestmark = pytest.mark.django_db
CASES, FIRST = int(os.environ.get("CASES", "10000")), int(os.environ.get("FIRST", "1"))
TRADES, SALES = 80, 20  # in a world


def test_thousands_of_random_trades_earn_what_the_brute_force_says(cast, capsys):
    factories.load_rates()
    compared, differ, worlds = Counter(), [], -(-CASES // (TRADES + SALES))
    for seed in range(FIRST, FIRST + worlds):
        try:
            compared += check_world(cast, seed, 1 + seed % 14, TRADES)
            compared += check_shop(cast, seed, 2 + seed % 11, SALES)
        except AssertionError:
            differ.append(seed)
        if seed % 10 == 0 or seed == FIRST + worlds - 1:
            with capsys.disabled():
                print(f"{(seed - FIRST + 1) * (TRADES + SALES):,} cases, {differ or 'no world'} differ", flush=True)
    with capsys.disabled():
        for component in sorted({key[0] for key in compared if key != "capped"}):
            paid = compared[component, "paid"]
            print(f"{component}: {sum(n for key, n in compared.items() if key[0] == component):,} lines, {paid:,} paid")
        reasons = Counter()
        for key, count in compared.items():
            reasons[key if key == "capped" else key[1]] += count
        print(", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common()))
    assert differ == [], "the worlds whose lines differ"
    assert worlds < 20 or {component for component in Component if compared[component, "paid"]} == set(Component)
