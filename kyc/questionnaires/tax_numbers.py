"""Tax identification numbers (TIN): which countries' formats are checked, by python-stdnum.

Where it knows no number of a country, only the length is bounded: the OECD publishes formats, not all of them with check digits
(https://www.oecd.org/tax/automatic-exchange/crs-implementation-and-assistance/tax-identification-numbers/).
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Final

TIN_MAX: Final = 30
PLAIN: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z ./+*-]{2,29}")
# The numbers that a country gives to people. One that is valid by any of them is taken.
MODULES: Final[dict[str, tuple[str, ...]]] = {
    "AR": ("ar.cuit",),
    "AT": ("at.tin",),
    "AU": ("au.tfn",),
    "BE": ("be.nn", "be.bis"),
    "BG": ("bg.egn", "bg.pnf"),
    "BR": ("br.cpf",),
    "CH": ("ch.ssn",),
    "CL": ("cl.rut",),
    "CZ": ("cz.rc", "cz.dic"),
    "DE": ("de.idnr",),
    "DK": ("dk.cpr",),
    "EE": ("ee.ik",),
    "ES": ("es.nif",),
    "FI": ("fi.hetu",),
    "FR": ("fr.nif",),
    "GB": ("gb.utr", "gb.nino"),
    "GR": ("gr.vat",),
    "HR": ("hr.oib",),
    "IE": ("ie.pps",),
    "IN": ("in_.pan",),
    "IT": ("it.codicefiscale",),
    "LT": ("lt.asmens",),
    "NL": ("nl.bsn",),
    "NO": ("no.fodselsnummer",),
    "NZ": ("nz.ird",),
    "PL": ("pl.pesel", "pl.nip"),
    "PT": ("pt.nif",),
    "RO": ("ro.cnp",),
    "SE": ("se.personnummer",),
    "SK": ("sk.rc", "sk.dph"),
    "TR": ("tr.tckimlik",),
    "US": ("us.ssn", "us.itin", "us.atin", "us.ein"),
}
# A British National Insurance number; the library has none. https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110
NINO: Final = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]")


def is_plausible(country: str, number: str) -> bool:
    """Check a number by its country's rules; only its length and characters where the rules aren't known."""
    if not PLAIN.fullmatch(number):
        return False
    names = MODULES.get(country, ())
    return not names or any(_is_valid(name, number) for name in names)


def is_checked(country: str) -> bool:
    """Tell whether more than the length of a country's numbers is checked."""
    return country in MODULES


def _is_valid(name: str, number: str) -> bool:
    if name == "gb.nino":
        return bool(NINO.fullmatch(number.replace(" ", "").upper()))
    return bool(import_module(f"stdnum.{name}").is_valid(number))
