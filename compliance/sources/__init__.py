"""The lists Keelson can read, each with the format its publisher writes."""

from __future__ import annotations

from compliance.sources import canada, eu_fsf, eu_journal, house, ofac, opensanctions, swiss, uk, un
from compliance.sources.base import Birth, BrokenFile, Format, KnownSource, LeftOut, ParsedEntry, ParsedName

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
            "https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/SDN_ADVANCED.XML",
            ofac.FORMAT,
        ),
        KnownSource(
            "ofac-consolidated",
            "OFAC consolidated non-SDN list",
            "US Department of the Treasury",
            "Public domain",
            "https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/CONS_ADVANCED.XML",
            ofac.FORMAT,
        ),
        KnownSource(
            "eu-fsf",
            "EU consolidated financial sanctions",
            "European Union",
            "EU reuse decision 2011/833/EU",
            "https://webgate.ec.europa.eu/fsd/fsf/public/files/xmlFullSanctionsList_1_1/content",
            eu_fsf.FORMAT,
        ),
        KnownSource(
            "eu-journal",
            "EU measures in the Official Journal",
            "European Union",
            "EU reuse decision 2011/833/EU",
            "https://eur-lex.europa.eu/",
            eu_journal.FORMAT,
        ),
        KnownSource(
            "uk",
            "UK Sanctions List",
            "Foreign, Commonwealth & Development Office",
            "Open Government Licence v3.0",
            "https://www.gov.uk/government/publications/the-uk-sanctions-list",
            uk.FORMAT,
        ),
        KnownSource(
            "uk-ofsi",
            "OFSI consolidated list (retired in January 2026)",
            "HM Treasury",
            "Open Government Licence v3.0",
            "https://www.gov.uk/government/publications/financial-sanctions-consolidated-list-of-targets",
            uk.FORMAT,
        ),
        KnownSource(
            "swiss",
            "Swiss sanctions (SECO)",
            "State Secretariat for Economic Affairs",
            "Open use, source to be named",
            "https://www.sesam.search.admin.ch/sesam-search-web/pages/downloadXmlGesamtliste.xhtml"
            "?lang=en&action=downloadXmlGesamtlisteAction",
            swiss.FORMAT,
        ),
        KnownSource(
            "canada-sema",
            "Canada: autonomous sanctions (SEMA)",
            "Government of Canada",
            "Open Government Licence – Canada",
            "https://www.international.gc.ca/world-monde/assets/office_docs/international_relations-relations_internationales/sanctions/sema-lmes.xml",
            canada.FORMAT,
        ),
        *(
            KnownSource(
                f"opensanctions-{code}",
                f"OpenSanctions: {name}",
                "OpenSanctions",
                "CC BY-NC 4.0; a business needs a licence",
                f"https://data.opensanctions.org/datasets/latest/{code}/entities.ftm.json",
                opensanctions.FORMAT,
            )
            for code, name in (("sanctions", "sanctions"), ("peps", "politically exposed persons"), ("crime", "crime"))
        ),
    )
}

__all__ = ["SOURCES", "Birth", "BrokenFile", "Format", "KnownSource", "LeftOut", "ParsedEntry", "ParsedName"]
