"""Proofs of address of several countries: issuer, name, address taken apart, country, day."""

import datetime as dt
from dataclasses import replace

import pytest

from kyc import pages, specimens
from kyc.choices import Verdict
from kyc.examination import address
from kyc.examination.issuers import IssuerKind, kind_of_issuer
from kyc.examination.postal import country_named, taken_apart
from kyc.examination.sheet import Sheet, Subject
from kyc.names import folded
from kyc.ocr import Word
from kyc.specimens.bills import STYLES

TODAY = dt.date(2026, 11, 24)
SUBJECT = Subject(1, 1, "Martina", "Müller", None, "Lindenstraße 12", "10969", "Berlin", country="DE")
BILL = specimens.UtilityBill(
    "Martina Müller", "Lindenstraße 12", "10969", "Berlin", dt.date(2026, 11, 1), country="Deutschland"
)


def checked(bill, *, is_scan=False, **subject):
    drawn = pages.draw(specimens.utility_bill(bill), "application/pdf")
    layer = None if is_scan else drawn.text_layer
    who = replace(SUBJECT, **subject)
    sheet = Sheet(1, "proof_of_address", "front", who, drawn.pictures, TODAY, text_layer=layer)
    return sheet, {(str(result.code), result.verdict) for result in address.check(sheet) if result.is_issue}


@pytest.mark.parametrize("country", STYLES)
def test_a_bill_of_each_country_passes(country):
    sheet, issues = checked(replace(BILL, style=STYLES[country]))
    assert issues == set() and sheet.issued_on == BILL.issued_on
    assert sheet.extracted["issuer"] in IssuerKind
    assert sheet.extracted["address"] == {
        "street": "Lindenstraße 12",
        "postal_code": "10969",
        "city": "Berlin",
        "country": "DE",
    }


@pytest.mark.parametrize("country", ["FR", "PL"])
def test_a_scanned_bill_passes(country):
    sheet, issues = checked(replace(BILL, style=STYLES[country]), is_scan=True)
    assert issues == set() and sheet.extracted["issuer"] == IssuerKind.UTILITY


@pytest.mark.parametrize(
    ("fields", "issue"),
    [
        ({"name": "Martin Müller"}, ("POA_NAME", Verdict.FAIL)),
        ({"name": "Martina Miller"}, ("NAME_NEAR", Verdict.UNSURE)),
        ({"country": "Österreich"}, ("POA_COUNTRY", Verdict.FAIL)),
        ({"issued_on": dt.date(2026, 8, 20)}, ("POA_TOO_OLD", Verdict.FAIL)),
    ],
)
def test_what_differs_is_named(fields, issue):
    assert issue in checked(replace(BILL, style=STYLES["DE"], **fields))[1]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Kontoauszug Nr. 3 Anfangssaldo", IssuerKind.BANK),
        ("Council tax bill 2026/27 Borough of Camden", IssuerKind.AUTHORITY),
        ("Vodafone DSL", IssuerKind.TELECOM),
        ("Relevé de compte", IssuerKind.BANK),
        ("Factura de electricidad", IssuerKind.UTILITY),
        ("Bouquet of roses, IBAN DE02", None),
    ],
)
def test_the_kind_of_issuer_is_recognised(text, kind):
    assert kind_of_issuer(folded(text)) == kind


@pytest.mark.parametrize(
    ("lines", "parts"),
    [
        (["12 rue de la Paix", "75002 Paris", "France"], ("12 rue de la Paix", "75002", "Paris", "FR")),
        (["221B Baker Street", "London", "NW1 6XE"], ("221B Baker Street", "NW1 6XE", "London", "")),
        (["ul. Długa 17/4", "31-147 Kraków", "Polska"], ("ul. Długa 17/4", "31-147", "Kraków", "PL")),
        (["Keizersgracht 9", "1015 CJ Amsterdam"], ("Keizersgracht 9", "1015 CJ", "Amsterdam", "")),
        (["Rua Augusta 8", "1100-048 Lisboa", "Portugal"], ("Rua Augusta 8", "1100-048", "Lisboa", "PT")),
    ],
)
def test_an_address_is_taken_apart(lines, parts):
    read = taken_apart(lines)
    assert (read.street, read.postal_code, read.city, read.country) == parts


def test_countries_are_known_in_the_languages_of_clients():
    assert [country_named(name) for name in ("Österreich", "AUTRICHE", "Polska", "UK", "Berlin")] == [
        "AT",
        "AT",
        "PL",
        "GB",
        "",
    ]


def test_a_name_without_place_has_no_address():
    assert address.postal.address_below([], [Word("Berlin", (0, 0, 10, 10))]).lines == ()
