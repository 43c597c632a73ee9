"""What KYC knows of a client for the apps beside it: identity documents, a company's details and its people.

KYC registers itself as the source; a client without a source has no records. Callers may see the client already.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from clients.models import Client
from crm.models import User


@dataclass(frozen=True, slots=True)
class IdentityDocument:
    """An accepted document. kind: as KYC names it, e.g. `passport`; country: alpha-2."""

    kind: str
    number: str
    issued_on: dt.date | None
    expires_on: dt.date | None
    country: str


@dataclass(frozen=True, slots=True)
class CompanyRecord:
    name: str
    number: str
    country: str
    incorporated_on: dt.date | None
    address: str
    activity: str


@dataclass(frozen=True, slots=True)
class LinkedPerson:
    """Somebody behind a company, as `director` or (beneficial) `owner`."""

    person: Client
    role: str


@dataclass(frozen=True, slots=True)
class RequestedDocument:
    """A document that the client was asked for. state: `open`, `answered`, `withdrawn` or `lapsed`; document_id: the answer."""

    pk: int
    title: str
    state: str
    document_id: int | None = None
    url: str = ""


class IdentitySource(Protocol):
    """Who knows it, and who asks the client for more: a questionnaire, listed as (id, title), or a document, as (kind, title)."""

    def documents_of(self, client: Client) -> list[IdentityDocument]: ...

    def company_of(self, client: Client) -> CompanyRecord | None: ...

    def people_of(self, client: Client) -> list[LinkedPerson]: ...

    def questionnaires_for(self, client: Client) -> list[tuple[int, str]]: ...

    def questionnaire_of(self, submission_id: int) -> int: ...

    def ask(self, *, client_id: int, questionnaire_id: int, actor: User, reason: str) -> str: ...

    def document_kinds_for(self, client: Client) -> list[tuple[str, str]]: ...

    def ask_for_document(
        self, *, client_id: int, kind: str, due_on: dt.date, message: str, actor: User
    ) -> RequestedDocument: ...

    def requested_documents(self, request_ids: list[int]) -> dict[int, RequestedDocument]: ...

    def withdraw_document(self, *, request_id: int, actor: User) -> None: ...


_SOURCES: list[IdentitySource] = []


def register(source: IdentitySource) -> None:
    """Register KYC as the source."""
    _SOURCES[:] = [source]


def source() -> IdentitySource | None:
    """Return the source; None where KYC isn't installed."""
    return _SOURCES[0] if _SOURCES else None
