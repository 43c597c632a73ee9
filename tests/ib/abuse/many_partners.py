"""Referral abuse measured beside the suite, on seeds that nothing was tuned on: `pytest tests/ib/abuse/many_partners.py`.

Beside the kinds of `tests/ib/abuse/world.py` two honest ones that are harder: an agency whose own login works in the office and who
registers a part of its clients on the reception's tablet, and a partner half of whose clients are couples of one household.
"""

import os
from collections import Counter

import pytest

from ib.abuse.reviews import review_referrals
from ib.abuse.score import judge
from ib.abuse.signals import counts
from ib.models import ReferralReview
from tests.ib.abuse import world
from tests.ib.abuse.world import BAD, BANK, DEVICE, NETWORK
from tests.ib.factories import make_version

pytestmark = pytest.mark.django_db
SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "31,4711,90210").split(",")]
EACH = 25


def reception(made, partner, n):
    """All on the office's network with the agency's own login; one in five registered on the reception's tablet."""
    world.learn_of_staff(partner.user_id, NETWORK, "9.9.8.1")
    tablet = made.things()
    for on_tablet in made.some(0.2, n):
        made.client(partner, {NETWORK: "9.9.8.1", **({DEVICE: tablet[DEVICE]} if on_tablet else {})}, cpa=True)


def households(made, partner, n):
    """Half of the clients are couples who share device, account and network."""
    for _couple in range(n // 4):
        shared = made.things()
        for _person in range(2):
            made.client(partner, {kind: shared[kind] for kind in (DEVICE, BANK, NETWORK)}, cpa=True)
    for _other in range(n - n // 4 * 2):
        made.client(partner)


@pytest.mark.parametrize("seed", SEEDS)
def test_abusers_are_found_and_honest_partners_are_not(cast, seed, capsys, monkeypatch):
    monkeypatch.setattr(world, "GOOD", (*world.GOOD, reception, households))
    version = make_version(cast.brand, cast.ib_manager, cast.finance)
    kinds = world.simulate(cast, version, each=EACH, seed=seed)[1]
    found = {partner: judge(rows)[0] for partner, rows in counts(cast.brand).items()}
    review_referrals(cast.brand)
    reviewed = Counter(kinds.get(row.partner_id) for row in ReferralReview.objects.all())
    with capsys.disabled():
        for kind in dict.fromkeys(kinds.values()):
            scores = [found.get(partner, 0) for partner, its in kinds.items() if its == kind]
            print(f"\n{seed} {kind}: {reviewed[kind]} of {EACH} reviewed, scores {min(scores)} – {max(scores)}", end="")
    assert {kind.__name__ for kind in BAD} <= set(reviewed)
