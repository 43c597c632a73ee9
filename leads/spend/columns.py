"""Columns of tables of spend: what Google Ads, Meta Ads and spreadsheets call them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from leads.choices import AdNetwork

# English, German, Spanish and French, in lower case without punctuation.
# Google Ads: "Day", "Campaign", "Campaign ID", "Currency code", "Cost";
# Meta Ads: "Day" or "Reporting starts" and "Reporting ends", "Campaign name", "Amount spent (EUR)".
NAMES: dict[str, str] = {
    "day": "day date tag datum reportingstarts auswertungsstart auswertungsbeginn berichtsstart berichtsbeginn "
    "día fecha iniciodelinforme jour débutdesrapports",
    "until": "reportingends auswertungsende berichtsende findelinforme findesrapports",
    "campaign": "campaign campaignname campaigncode utmcampaign kampagne kampagnenname kampagnencode "
    "campaña nombredelacampaña campagne nomdelacampagne",
    "campaign_id": "campaignid kampagnenid identificadordelacampaña iddecampaña iddelacampagne",
    "currency": "currency currencycode währung währungscode divisa moneda códigodemoneda devise codededevise",
    "country": "country countrycode countryterritory countryterritoryuserlocation land ländercode landgebiet landregion "
    "país pays",
    "network": "network netzwerk",
}
GERMAN = {"kosten", "ausgaben", "betrag", "ausgegebenerbetrag"}
# Where days may be written 20/09/2026, which an American would read otherwise.
SPANISH_OR_FRENCH = {"coste", "costo", "importegastado", "coût", "montantdépensé"}
COST = {"cost", "spend", "amount", "amountspent"} | GERMAN | SPANISH_OR_FRENCH
BY_NAME = {name: column for column, names in NAMES.items() for name in names.split()}
OF_META = {"amountspent", "ausgegebenerbetrag", "importegastado", "montantdépensé"}
OF_GOOGLE = {"currencycode", "währungscode", "códigodemoneda", "codededevise"}
FIRST_CHOICE = ("day", "tag", "date", "datum", "día", "fecha", "jour")
IN_BRACKETS = re.compile(r"\(([A-Z]{3,5})\)\s*$")
TOTALS = ("total", "gesamt", "summe")


def plain(heading: str) -> str:
    """Write a heading as names are compared."""
    return re.sub(r"[\W_]", "", heading.lower())


@dataclass(frozen=True)
class Columns:
    """Where a table has what.

    currency_of_cost: the currency that the heading of the cost names. has_slashes: its language writes days as 20/09/2026.
    """

    places: dict[str, int]
    heading: dict[str, str]
    network: AdNetwork
    currency_of_cost: str
    decimal_mark: str
    has_slashes: bool = False

    def value(self, values: Sequence[str], column: str) -> str:
        """Read a column of a row; empty where the table has no such column."""
        place = self.places.get(column)
        return "" if place is None else values[place].strip()


def find_columns(header: Sequence[str]) -> Columns:
    """Find the columns of a table by their headings; a column of days goes before the start of the report."""
    places: dict[str, int] = {}
    currency, cost_name, names = "", "", [plain(IN_BRACKETS.sub("", heading)) for heading in header]
    for place, (heading, name) in enumerate(zip(header, names, strict=True)):
        if name in COST and "cost" not in places:
            places["cost"], cost_name = place, name
            if found := IN_BRACKETS.search(heading.strip()):
                currency = found.group(1)
        column = BY_NAME.get(name, "")
        if column and (column not in places or name in FIRST_CHOICE):
            places[column] = place
    network = AdNetwork.OTHER
    if cost_name in OF_META:
        network = AdNetwork.META
    elif OF_GOOGLE & set(names):
        network = AdNetwork.GOOGLE
    return Columns(
        places,
        {column: header[place] for column, place in places.items()},
        network,
        currency,
        "," if cost_name in GERMAN | SPANISH_OR_FRENCH else ".",
        cost_name in SPANISH_OR_FRENCH,
    )
