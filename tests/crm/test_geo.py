"""The country of an internet address: known ones, both kinds of file, and what is no address."""

import pytest
from django.core.checks import run_checks

from crm import geo

PLACES = {
    "8.8.8.8": "US",  # Google's resolver
    "77.88.8.8": "RU",  # Yandex's
    "217.160.0.1": "DE",  # IONOS
    "139.130.4.5": "AU",  # Telstra
    "::ffff:8.8.8.8": "US",
    "2a02:6b8::1": "RU",
}


@pytest.mark.parametrize(("address", "country"), PLACES.items())
def test_an_address_has_its_country(address, country):
    assert geo.country_of(address) == country


@pytest.mark.parametrize(
    "address", ["", None, "10.0.0.1", "127.0.0.1", "::1", "fe80::1", "not an address", "8.8.8", "8.8.8.8/24"]
)
def test_what_is_no_public_address_has_none(address):
    assert geo.country_of(address) == ""


@pytest.mark.parametrize(
    ("row", "country"),
    [
        ({"country_code": "de"}, "DE"),
        ({"country": {"iso_code": "FR", "names": {"en": "France"}}, "registered_country": {"iso_code": "US"}}, "FR"),
        ({"registered_country": {"iso_code": "US"}}, "US"),
        ({"continent": {"code": "EU"}}, ""),
        ({"country_code": "EUR"}, ""),
        (None, ""),
        ("DE", ""),
    ],
)
def test_rows_of_db_ip_and_of_maxmind_are_read(row, country):
    assert geo._code(row) == country


def test_a_file_that_is_none_is_reported_before_anybody_signs_in(settings, tmp_path):
    assert not [error for error in run_checks() if error.id == "keelson.E027"]
    for wrong in (tmp_path / "gone.mmdb", tmp_path / "text.mmdb"):
        if wrong.stem == "text":
            wrong.write_text("no database")
        settings.GEOIP_FILE = wrong
        (error,) = [error for error in run_checks() if error.id == "keelson.E027"]
        assert "KEELSON_GEOIP_FILE" in error.msg
