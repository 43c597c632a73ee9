"""Masks of groups: `*` for anything, `!` takes away; a mask of many stars is as quick as one of few."""

import pytest

from sandbox.engine.contracts import matches as sandbox_matches
from trading.platforms.masks import matches


@pytest.mark.parametrize("found", [matches, sandbox_matches])
@pytest.mark.parametrize(
    ("mask", "name", "fits"),
    [
        ("real*", "real\\std", True),
        ("real*,!real\\test", "real\\test", False),
        ("*", "", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("*std*", "real\\std-usd", True),
        ("r*l*d", "real\\std", True),
        ("r*d*l", "real\\std", False),
        ("real", "real\\std", False),
        ("", "real", False),
        ("re.l", "real", False),
        ("a*" * 40 + "b", "a" * 60, False),
        ("*a" * 2_000 + "b", "a" * 5_000, False),
    ],
)
def test_a_mask_fits_by_its_parts(found, mask, name, fits):
    assert found(mask, name) is fits
