"""What careful clients send: their own valid documents, as phones and scanners picture them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from PIL import Image, ImageEnhance

from bench.submissions.people import Submission, billed, holder_of, subject_of
from kyc import specimens

Spoil = Callable[[Image.Image], Image.Image]


def photo(chance: random.Random) -> Spoil:
    """Choose one of the ways a careful client's picture differs from a scan."""
    seed = chance.randrange(1_000)
    degrees, sigma, quality = chance.uniform(-12, 12), chance.uniform(0.6, 1.5), chance.randrange(60, 95)
    return chance.choice(
        [
            lambda page: page,
            lambda page: specimens.photographed(page, seed=seed),
            lambda page: specimens.seen_askew(page, seed=seed),
            lambda page: specimens.turned(page, degrees),
            lambda page: specimens.blurred(page, sigma),
            lambda page: specimens.saved(page, quality),
            lambda page: ImageEnhance.Brightness(page).enhance(0.7),
            lambda page: page.resize((900, round(900 * page.height / page.width))),
            lambda page: specimens.with_glare(page, centre=(0.9, 0.6), radius=0.04),
        ]
    )


def passport(chance: random.Random) -> Submission:
    holder = holder_of(chance)
    return Submission((photo(chance)(specimens.passport(holder)),), subject_of(holder))


def card(chance: random.Random) -> Submission:
    holder, spoil = holder_of(chance), photo(chance)
    front, back = specimens.id_card(holder)
    return Submission((spoil(front), spoil(back)), subject_of(holder))


def permit(chance: random.Random) -> Submission:
    """A permit names the state that issued it and the holder's own nationality."""
    holder = holder_of(chance, nationality=chance.choice(["UKR", "IND", "TUR", "BRA", "USA"]))
    spoil = photo(chance)
    front, back = specimens.residence_permit(holder)
    return Submission((spoil(front), spoil(back)), subject_of(holder))


def bill(chance: random.Random) -> Submission:
    return billed(chance)


IDENTITY: Final[dict[str, Callable[[random.Random], Submission]]] = {
    "passport": passport,
    "passport again": passport,
    "card of two sides": card,
    "residence permit": permit,
}
ADDRESS: Final[dict[str, Callable[[random.Random], Submission]]] = {"bill or statement": bill}
