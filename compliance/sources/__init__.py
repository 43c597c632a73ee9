"""The lists Keelson can read, each with the format its publisher writes."""

from __future__ import annotations

from dataclasses import dataclass

from compliance.sources import canada, eu_journal, house, ofac, un
from compliance.sources.base import Birth, BrokenFile, Format, ParsedEntry, ParsedName


@dataclass(frozen=True)
class KnownSource:
    code: str
    name: str
    publisher: str
    licence: str
    url: str
    format: Format


SOURCES: dict[str, KnownSource] = {
    source.code: source
    for source in (
        KnownSource("house", "Internal list", "The brokerage", "Internal", "", house.FORMAT),
        KnownSource(
            "un",
            "UN Security Council consolidated list",
            "United Nations",
            "Public list, attribution",
            "https://scsanctions.un.org/resources/xml/en/consolidated.xml",
            un.FORMAT,
        ),
        KnownSource(
            "ofac-sdn",
            "OFAC Specially Designated Nationals",
            "US Department of the Treasury",
            "Public domain",
            "https://www.treasury.gov/ofac/downloads/sdn.csv",
            ofac.FORMAT,
        ),
        KnownSource(
            "ofac-consolidated",
            "OFAC consolidated non-SDN list",
            "US Department of the Treasury",
            "Public domain",
            "https://www.treasury.gov/ofac/downloads/consolidated/cons_prim.csv",
            ofac.FORMAT,
        ),
        KnownSource(
            "eu-syria",
            "EU measures: Syria (36/2012)",
            "European Union",
            "EU reuse decision 2011/833/EU",
            "https://eur-lex.europa.eu/eli/reg/2012/36/oj",
            eu_journal.FORMAT,
        ),
        KnownSource(
            "eu-belarus",
            "EU measures: Belarus (765/2006)",
            "European Union",
            "EU reuse decision 2011/833/EU",
            "https://eur-lex.europa.eu/eli/reg/2006/765/oj",
            eu_journal.FORMAT,
        ),
        KnownSource(
            "eu-ukraine",
            "EU measures: Ukraine's territorial integrity (269/2014)",
            "European Union",
            "EU reuse decision 2011/833/EU",
            "https://eur-lex.europa.eu/eli/reg/2014/269/oj",
            eu_journal.FORMAT,
        ),
        KnownSource(
            "canada-sema",
            "Canada: autonomous sanctions (SEMA)",
            "Government of Canada",
            "Open Government Licence – Canada",
            "https://www.international.gc.ca/world-monde/assets/office_docs/international_relations-relations_internationales/sanctions/sema-lmes.xml",
            canada.FORMAT,
        ),
    )
}

__all__ = ["SOURCES", "Birth", "BrokenFile", "Format", "KnownSource", "ParsedEntry", "ParsedName"]
