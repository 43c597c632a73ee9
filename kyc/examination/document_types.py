"""Which kind of document a page is, by its printed title in the languages of our clients."""

from __future__ import annotations

import re

from kyc.choices import DocumentKind

# Longer titles first: a residence permit mentions passports, a driving licence mentions identity.
TITLES: tuple[tuple[DocumentKind, str], ...] = (
    (
        DocumentKind.RESIDENCE_PERMIT,
        r"RESIDEN(?:CE|T) (?:PERMIT|CARD)|PERMANENT RESIDENT|AUFENTHALTSTITEL|TITRE DE SEJOUR|CARTE DE (?:SEJOUR|RESIDENT)|"
        r"PERMISO DE RESIDENCIA|PERMESSO DI SOGGIORNO|KARTA POBYTU|VERBLIJFS(?:TITEL|VERGUNNING)|POVOLENI K POBYTU|"
        r"TITULO DE RESIDENCIA|AUTORIZACAO DE RESIDENCIA",
    ),
    (
        DocumentKind.DRIVING_LICENCE,
        r"DRIV(?:ING|ERS?) ?LICEN[CS]E|DRIVER.?S? LICEN[CS]E|FUHRERSCHEIN|FUEHRERSCHEIN|PERMIS DE CONDUIRE|PATENTE DI GUIDA|"
        r"PERMISO DE CONDUC|PRAWO JAZDY|RIJBEWIJS|CARTA DE CONDUCAO|KORKORT|AJOKORTTI|RIDICSKY PRUKAZ",
    ),
    (
        DocumentKind.ID_CARD,
        r"IDENTITY CARD|ID CARD|IDENTIFICATION CARD|PERSONALAUSWEIS|CARTE (?:NATIONALE )?D ?.?IDENTITE|CARTA D ?.?IDENTITA|"
        r"DOCUMENTO NACIONAL DE IDENTIDAD|DOWOD OSOBISTY|IDENTITEITSKAART|CARTAO DE CIDADAO|OBCANSKY PRUKAZ|OSOBNA ISKAZNICA",
    ),
    (
        DocumentKind.PASSPORT,
        r"PASSPORT|REISEPASS|PASSEPORT|PASAPORTE|PASSAPORTO|PASZPORT|PASPOORT|PASSAPORTE|PUTOVNICA",
    ),
)
PATTERNS = tuple((kind, re.compile(titles)) for kind, titles in TITLES)


ZONE_LETTERS = {
    "P": DocumentKind.PASSPORT,
    "I": DocumentKind.ID_CARD,
    "A": DocumentKind.ID_CARD,
    "C": DocumentKind.ID_CARD,
}


def kind_of_zone(code: str) -> DocumentKind | None:
    """Recognise the kind by the zone's document code. Issuers mark permits with R as the second letter, the United States with a
    number; None for visas and whatever proves no identity."""
    if code[:1] in ("A", "I", "C") and code[1:2] in ("R", "1", "2"):
        return DocumentKind.RESIDENCE_PERMIT
    return ZONE_LETTERS.get(code[:1])


def kind_of_text(text: str) -> DocumentKind | None:
    """Recognise the kind by the printed title; None where there is none."""
    text = re.sub(r"[^A-Z0-9]+", " ", text)
    return next((kind for kind, titles in PATTERNS if titles.search(text)), None)
