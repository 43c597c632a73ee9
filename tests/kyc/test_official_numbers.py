"""Numbers that tax offices and registers give are learnt as identifiers, for the comparison with watchlists."""

import datetime as dt

from clients.identifiers import IdentifierKind
from kyc.fingerprints import sightings_of_answers, sightings_of_company
from kyc.models.corporate import Company

AT = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


def test_tax_numbers_are_found_in_any_questionnaire():
    rows = [{"country": "DE", "tin": "12 345 678 901"}, {"country": "FR", "tin": "", "reason": "A"}]
    found = sightings_of_answers(7, {"residences": rows, "experience": ["a"], "amount": 3}, AT)
    assert [(seen.kind, seen.value) for seen in found] == [(IdentifierKind.OFFICIAL_NUMBER, "DE:12345678901")]


def test_a_company_is_known_by_its_register_and_lei():
    company = Company(
        client_id=7, country="GB", registration_number="0107-4897", lei="529900T8BM49AURSDO55", created_at=AT
    )
    kinds = [(seen.kind, seen.value) for seen in sightings_of_company(company)]
    assert kinds == [(IdentifierKind.OFFICIAL_NUMBER, "GB:01074897"), (IdentifierKind.LEI, "529900T8BM49AURSDO55")]
