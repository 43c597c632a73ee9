"""What the checks work on: the pages, who the client says they are, and what was read so far."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kyc.choices import CARD_KINDS, IDENTITY_KINDS, ISSUE_SEVERITY, DocumentKind, IssueCode, Severity, Side, Verdict
from kyc.ocr import Word

if TYPE_CHECKING:
    from clients.models import Client
    from kyc.examination.printed import Printed
    from kyc.mrz_zone import Reading

Box = tuple[float, float, float, float]


# Where on which page: keywords for a result.
Place = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """What a check says about one thing: passed, failed or unsure; why; how sure it is (0 to 1); which field of the
    registration it concerns; what the document and the registration say; and where on the page.

    What didn't pass becomes an issue. `severity` outranks the code's own.
    """

    verdict: Verdict
    code: str = ""
    score: float = 0.9
    field: str = ""
    found: str = ""
    expected: str = ""
    page: int = 1
    box: Box | None = None
    severity: Severity | None = None
    check: str = ""

    @property
    def is_issue(self) -> bool:
        return self.verdict != Verdict.PASS

    @property
    def weight(self) -> Severity:
        if self.severity:
            return self.severity
        usual = ISSUE_SEVERITY[IssueCode(self.code)]
        # What isn't certain blocks nothing: a person compares.
        return Severity.WARNING if self.verdict == Verdict.UNSURE and usual == Severity.BLOCKING else usual


def passed(**more: Any) -> Result:
    """Say that a check found what it should."""
    return Result(Verdict.PASS, **more)


def failed(code: IssueCode, score: float = 0.9, **more: Any) -> Result:
    """Say that a check found something wrong."""
    return Result(Verdict.FAIL, code, score, **more)


def unsure(code: IssueCode, score: float = 0.5, **more: Any) -> Result:
    """Say that a check can't decide: a person must, or the client sends a better picture."""
    return Result(Verdict.UNSURE, code, score, **more)


@dataclass(frozen=True)
class Subject:
    """The registration: what the document is compared with."""

    client_id: int
    brand_id: int
    first_name: str
    last_name: str
    birth_date: dt.date | None
    address_line: str
    postal_code: str
    city: str
    # ISO 3166-1 alpha-2, as registered; the sex is known where a provider or an officer entered it.
    nationality: str = ""
    sex: str = ""
    country: str = ""

    @classmethod
    def of(cls, client: Client) -> Subject:
        """Take it from a client's record."""
        return cls(
            client_id=client.pk,
            brand_id=client.brand_id,
            first_name=client.first_name,
            last_name=client.last_name,
            birth_date=client.date_of_birth,
            address_line=client.address_line,
            postal_code=client.postal_code,
            city=client.city,
            nationality=client.nationality,
            country=str(client.country or ""),
        )

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass
class Sheet:
    document_id: int
    kind: str
    side: str
    subject: Subject
    pages: list[np.ndarray]
    today: dt.date
    # From a PDF's text layer: words per page, with boxes in pixels of `pages`.
    text_layer: list[list[Word]] | None = None
    # Read in a child, which keeps the pages: whether there was a text layer.
    has_words_of_its_own: bool = False
    age_min_years: int = 18
    # The issuing country that the client selected, ISO 3166-1 alpha-2; empty where nobody was asked.
    declared_country: str = ""
    sha256: str = ""
    # What the file's maker left in it (`kyc.intake`).
    traces: dict[str, Any] = field(default_factory=dict)
    # Documents of Utopia count as real ones: in a demo and in tests.
    accepts_specimens: bool = False
    zone: Reading | None = None
    # False where this server has no data to read zones or print with.
    can_read: bool = True
    printed: Printed | None = None
    # What was read, for the officer and for rules: kept under the client's key.
    extracted: dict[str, Any] = field(default_factory=dict)
    # Figures without personal data.
    measures: dict[str, Any] = field(default_factory=dict)
    engines: set[str] = field(default_factory=set)
    phash: bytes | None = None
    number_fingerprint: str = ""
    issuing_country: str = ""
    issued_on: dt.date | None = None
    expires_on: dt.date | None = None

    @property
    def is_identity(self) -> bool:
        return self.kind in IDENTITY_KINDS

    @property
    def wants_zone(self) -> bool:
        """Passports carry the zone on the data page, cards mostly on the back."""
        return self.kind == DocumentKind.PASSPORT or (self.kind in CARD_KINDS and self.side == Side.BACK)

    @property
    def has_words(self) -> bool:
        """Tell whether the file brings its text along, as PDFs do that were not scanned."""
        return self.has_words_of_its_own or (self.text_layer is not None and any(self.text_layer))

    def fraction(self, box: tuple[int, int, int, int], page: int = 1) -> Box:
        """Convert a box in pixels to fractions of its page."""
        height, width = self.pages[page - 1].shape[:2]
        return (box[0] / width, box[1] / height, box[2] / width, box[3] / height)
