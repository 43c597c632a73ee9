"""Which kind of document a page is, by its printed title in the languages of our clients."""

from __future__ import annotations

import re

from kyc.choices import DocumentKind

# Longer titles first: a residence permit mentions passports, a driving licence mentions identity.
TITLES: tuple[tuple[DocumentKind, str], ...] = (
    (
        DocumentKind.DRIVING_LICENCE,
        r"DRIV(?:ING|ERS?) ?LICEN[CS]E|DRIVER.?S? LICEN[CS]E|FUHRERSCHEIN|FUEHRERSCHEIN|PERMIS DE CONDUIRE|PATENTE DI GUIDA|"
        r"PERMISO DE CONDUC|PRAWO JAZDY|RIJBEWIJS|CARTA DE CONDUCAO|KORKORT|AJOKORTTI|RIDICSKY PRUKAZ",
    ),
    (
        DocumentKind.ID_CARD,
        r"IDENTITY CARD|ID CARD|IDENTIFICATION CARD|PERSONALAUSWEIS|CARTE (?:NATIONALE )?D ?.?IDENTITE|CARTA D ?.?IDENTITA|"
        r"DOCUMENTO NACIONAL DE IDENTIDAD|DOWOD OSOBISTY|IDENTITEITSKAART|CARTAO DE CIDADAO|OBCANSKY PRUKAZ|OSOBNA ISKAZNICA|"
        r"RESIDENCE PERMIT|AUFENTHALTSTITEL|TITRE DE SEJOUR|PERMISO DE RESIDENCIA|PERMESSO DI SOGGIORNO|KARTA POBYTU|"
        r"VERBLIJFSTITEL|RESIDENCE CARD",
    ),
    (
        DocumentKind.PASSPORT,
        r"PASSPORT|REISEPASS|PASSEPORT|PASAPORTE|PASSAPORTO|PASZPORT|PASPOORT|PASSAPORTE|PUTOVNICA",
    ),
)
PATTERNS = tuple((kind, re.compile(titles)) for kind, titles in TITLES)


def kind_of_text(text: str) -> DocumentKind | None:
    """Recognise the kind by the printed title; None where there is none."""
    text = re.sub(r"[^A-Z0-9]+", " ", text)
    return next((kind for kind, titles in PATTERNS if titles.search(text)), None)
