"""Tax residences: a number that its country could have given, or a reason why there is none."""

import pytest
from django import forms

from kyc.questionnaires.fields import TaxResidencesField
from kyc.questionnaires.tax_numbers import is_plausible


@pytest.mark.parametrize(
    ("country", "number", "is_good"),
    [
        ("DE", "36 574 261 809", True),
        ("DE", "36 574 261 808", False),
        ("ES", "54362315K", True),
        ("ES", "54362315Z", False),
        ("GB", "QQ123456C", False),
        ("GB", "AB123456C", True),
        ("FR", "0701987765493", True),
        ("FR", "0701987765432", False),
        ("US", "536-90-4399", True),
        ("CY", "12345678A", True),
        ("CY", "1", False),
        ("CY", "<script>alert(1)", False),
        ("CY", "1" * 31, False),
    ],
)
def test_number_is_checked_by_its_country(country, number, is_good):
    assert is_plausible(country, number) is is_good


def row(country="DE", tin="", reason="", why=""):
    return {"country": country, "tin": tin, "reason": reason, "why": why}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row()], "or choose why"),
        ([row(reason="B")], "Explain why"),
        ([row("XX", "1234")], "Choose the country"),
        ([row(tin="36574261808")], "valid tax number of Germany"),
        ([row(reason="A"), row(reason="C")], "each country once"),
    ],
)
def test_incomplete_residence_is_refused(rows, words):
    with pytest.raises(forms.ValidationError, match=words):
        TaxResidencesField().clean(rows)


def test_number_makes_the_reason_superfluous():
    assert TaxResidencesField().clean([row(tin="36574261809", reason="B", why="lost")]) == [row(tin="36574261809")]
    assert TaxResidencesField().clean([row(reason="B", why="Applied for")]) == [row(reason="B", why="Applied for")]
    assert TaxResidencesField().clean([]) is None
