"""Countries of cards by their first digits, from the broker's own file."""

import pytest
from django.core.checks import run_checks

from crm.geo import cards


@pytest.fixture(autouse=True)
def _forget():
    yield
    cards.read_file.cache_clear()


def named(settings, tmp_path, text: str):
    settings.CARD_BIN_FILE = str(tmp_path / "cards.csv")
    (tmp_path / "cards.csv").write_text(text, encoding="utf-8")
    cards.read_file.cache_clear()


def test_more_digits_go_before_fewer_and_ranges_are_spread(settings, tmp_path):
    assert cards.country_of_card("424242******4242") == "", "no file, no country"
    named(settings, tmp_path, "BIN,Country,Issuer\n4242,US,A\n42424242,DE,B\n400,FR,too short\nx,DE,no number\n,,\n")
    assert cards.country_of_card("4242 42** **** 4242") == "US" and cards.country_of_card("42424242 •••• 4242") == "DE"
    for masked in ("•••• 4242", "DE89 •••• 3000", "4242424242424242", "", "9999 99** 1"):
        assert cards.country_of_card(masked) == "", "a full number is none that we look at"
    named(
        settings,
        tmp_path,
        "\ufeffiin_start,iin_end,alpha_2\n400000,400009,fr\n500000,,ES\n600009,600000,DE\n1000,99999,DE\n",
    )
    assert [cards.country_of_bin(digits) for digits in ("400005", "400010", "500000", "600005")] == ["FR", "", "ES", ""]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "", "bin,country\nx,y\n", "bin,country\n4242,\xff\n"])
def test_a_file_of_another_kind_is_reported_before_anybody_pays(settings, tmp_path, text):
    assert not [error for error in run_checks() if error.id == "keelson.E028"]
    named(settings, tmp_path, text)
    (error,) = [error for error in run_checks() if error.id == "keelson.E028"]
    assert "KEELSON_CARD_BIN_FILE" in error.msg
