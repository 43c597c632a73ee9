"""Who sends documents, which state issued them, and what the client registered."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, replace
from typing import Final

from PIL import Image

from kyc import specimens
from kyc.choices import DocumentKind, IssueCode
from kyc.examination import states
from kyc.examination.sheet import Subject
from kyc.specimens import Holder, Style, UtilityBill
from kyc.specimens.bills import STYLES as BILLS

TODAY: Final = dt.date(2026, 11, 24)
GERMAN: Final = ("Name", "Vornamen", "Staatsangehörigkeit", "Geburtsdatum", "Gültig bis", "Geschlecht", "Pass-Nr.")
FRENCH: Final = ("Nom", "Prénoms", "Nationalité", "Date de naissance", "Date d'expiration", "Sexe", "Passeport n°")
ITALIAN: Final = ("Cognome", "Nome", "Cittadinanza", "Data di nascita", "Data di scadenza", "Sesso", "Passaporto N.")
SPANISH: Final = (
    "Apellidos",
    "Nombre",
    "Nacionalidad",
    "Fecha de nacimiento",
    "Fecha de caducidad",
    "Sexo",
    "Pasaporte No",
)
POLISH: Final = ("Nazwisko", "Imiona", "Obywatelstwo", "Data urodzenia", "Data ważności", "Płeć Sex", "Nr paszportu")
STYLES: Final[dict[str, Style]] = {
    "D": Style(
        "TEST", "DEUTSCH", GERMAN, "REISEPASS · PASSPORT", "PERSONALAUSWEIS", "FÜHRERSCHEIN", permit="AUFENTHALTSTITEL"
    ),
    "FRA": Style(
        "TEST",
        "Française",
        FRENCH,
        "PASSEPORT",
        "CARTE D'IDENTITE",
        "PERMIS DE CONDUIRE",
        "%d %m %Y",
        "TITRE DE SEJOUR",
    ),
    "ITA": Style(
        "TEST",
        "ITALIANA",
        ITALIAN,
        "PASSAPORTO",
        "CARTA D'IDENTITA",
        "PATENTE DI GUIDA",
        "%d/%m/%Y",
        "PERMESSO DI SOGGIORNO",
    ),
    "ESP": Style(
        "TEST",
        "ESPAÑOLA",
        SPANISH,
        "PASAPORTE",
        "DOCUMENTO NACIONAL DE IDENTIDAD",
        "PERMISO DE CONDUCCION",
        "%d-%m-%Y",
        "PERMISO DE RESIDENCIA",
    ),
    "POL": Style(
        "TEST", "POLSKIE", POLISH, "PASZPORT · PASSPORT", "DOWÓD OSOBISTY", "PRAWO JAZDY", permit="KARTA POBYTU"
    ),
    "GBR": Style("TEST", "BRITISH CITIZEN", specimens.ENGLISH, "PASSPORT", "IDENTITY CARD", date="%d %b %Y"),
}
PEOPLE: Final = {
    "F": ("Clara", "Martina", "Zoë", "Ana Lucía", "Małgorzata", "Johanna", "Chiara", "Élodie", "Katharina", "Núria"),
    "M": ("Martin", "Paul", "Jürgen", "José", "Łukasz", "Johann", "François", "Marco", "Andrew", "Søren"),
}
SURNAMES: Final = (
    "Müller",
    "Bergmann",
    "Kowalczyk",
    "García López",
    "Dubois",
    "Rossi",
    "O'Neill",
    "von Thun",
    "Nowak",
    "Weiß",
    "Ferrari",
    "Lefèvre",
    "Whitfield",
    "Hernández",
    "Wiśniewska",
    "Schröder",
    "Marchetti",
    "Beaumont",
)
ADDRESSES: Final = (
    ("Lindenstraße 12", "10969", "Berlin", "Germany"),
    ("12 rue de la Paix", "75002", "Paris", "France"),
    ("Calle Mayor 45", "28013", "Madrid", "España"),
    ("Via Roma 8", "20121", "Milano", "Italia"),
    ("ul. Długa 17", "31-147", "Kraków", "Polska"),
    ("221B Baker Street", "NW1 6XE", "London", "United Kingdom"),
    ("Keizersgracht 9", "1015 CJ", "Amsterdam", "Nederland"),
)


@dataclass(frozen=True)
class Submission:
    """Pages of one person, the registration, and for bad ones the codes of which one must be named.

    bill: a PDF instead of pictures. sides: as which kind and side the client sends the pages; recognised where empty.
    """

    pages: tuple[Image.Image, ...]
    subject: Subject
    codes: frozenset[str] = frozenset()
    bill: bytes = b""
    kind: str = ""


def holder_of(chance: random.Random, **fields: object) -> Holder:
    """Draw a person and their document."""
    country = chance.choice(list(STYLES))
    sex = chance.choice("FM")
    letters = "CFGHJKLMNPRTVWXYZ"
    holder = Holder(
        chance.choice(PEOPLE[sex]),
        chance.choice(SURNAMES),
        dt.date(1950, 1, 1) + dt.timedelta(days=chance.randrange(19_000)),
        sex,
        "".join(chance.choice(letters if place < 3 else "0123456789") for place in range(9)),
        TODAY + dt.timedelta(days=chance.randrange(90, 3600)),
        country,
        country,
        STYLES[country],
    )
    return replace(holder, **fields)  # type: ignore[arg-type]


def subject_of(holder: Holder, **fields: object) -> Subject:
    """Register a holder as their document says."""
    subject = Subject(
        0,
        0,
        holder.first_name,
        holder.last_name,
        holder.birth_date,
        "",
        "",
        "",
        nationality=states.alpha2_of(holder.nationality),
    )
    return replace(subject, **fields)  # type: ignore[arg-type]


def billed(chance: random.Random, *, codes: frozenset[str] = frozenset(), **fields: object) -> Submission:
    """Draw a bill to somebody at their registered address; `fields` of the bill differ from the registration."""
    holder = holder_of(chance)
    street, postal_code, city, country = chance.choice(ADDRESSES)
    style = BILLS[chance.choice(list(BILLS))]
    bill = UtilityBill(
        f"{holder.first_name} {holder.last_name}",
        street,
        postal_code,
        city,
        TODAY - dt.timedelta(days=chance.randrange(2, 85)),
        chance.choice([country, ""]),
        chance.randrange(1000, 99999),
        style,
    )
    subject = subject_of(holder, address_line=street, postal_code=postal_code, city=city)
    pdf = specimens.utility_bill(replace(bill, **fields))  # type: ignore[arg-type]
    return Submission((), subject, codes, bill=pdf, kind=DocumentKind.PROOF_OF_ADDRESS)


def coded(*codes: IssueCode) -> frozenset[str]:
    """Name the codes of which one must be found."""
    return frozenset(map(str, codes))
