"""What KYC hands to the apps beside it through `clients.proofs.identity_records`."""

from __future__ import annotations

import datetime as dt

from clients.choices import ClientKind
from clients.models import Client
from clients.proofs import identity_records
from clients.proofs.identity_records import CompanyRecord, IdentityDocument, LinkedPerson, RequestedDocument
from crm.models import User
from kyc.choices import COMPANY_KINDS, IDENTITY_KINDS, MEANS_KINDS, DocumentKind, DocumentState
from kyc.corporate.pages import company_of
from kyc.corporate.structure import structure_of
from kyc.document_requests.requesting import request_from_client, withdraw_request
from kyc.examination.states import alpha2_of
from kyc.models import Document, DocumentRequest
from kyc.questionnaires.content import say
from kyc.questionnaires.models import Submission
from kyc.questionnaires.obligations import State, standings_of
from kyc.questionnaires.submissions import request_answers

DOCUMENTS_MAX = 10


class KycRecords:
    """Documents that were accepted, the company as it was registered, and the questionnaires that may be asked for."""

    def documents_of(self, client: Client) -> list[IdentityDocument]:
        """List accepted identity documents, the newest first, one per number; the back of a card often has the number."""
        rows = Document.objects.filter(client=client, state=DocumentState.APPROVED, kind__in=IDENTITY_KINDS)
        found: dict[str, IdentityDocument] = {}
        for row in rows.order_by("-pk")[:DOCUMENTS_MAX]:
            number = str(row.extracted.get("number", ""))
            country = row.issuing_country if len(row.issuing_country) == 2 else alpha2_of(row.issuing_country)
            made = IdentityDocument(
                row.kind, number, row.issued_on, row.expires_on, country or row.declared_country or client.nationality
            )
            found.setdefault(number, made)
        return [paper for number, paper in found.items() if number]

    def company_of(self, client: Client) -> CompanyRecord | None:
        """Describe the company that a client is; None for a person."""
        company = company_of(client)
        if company is None:
            return None
        return CompanyRecord(
            company.name,
            company.registration_number,
            company.country,
            company.incorporated_on,
            company.registered_address,
            company.activity,
        )

    def people_of(self, client: Client) -> list[LinkedPerson]:
        """List a company's directors and beneficial owners; somebody who is both is named as director."""
        company = company_of(client)
        if company is None:
            return []
        people = structure_of(company).people
        return [
            LinkedPerson(row.person, "director" if row.link.is_director else "owner")
            for row in people
            if row.link.is_director or row.is_owner
        ]

    def questionnaires_for(self, client: Client) -> list[tuple[int, str]]:
        """List the brand's questionnaires that the client can be asked for now, in their language."""
        return [
            (standing.published.questionnaire_id, say(standing.content.title, client.language))
            for standing in standings_of(client).rows
            if not standing.is_requested and standing.state != State.IN_REVIEW
        ]

    def questionnaire_of(self, submission_id: int) -> int:
        """Find which questionnaire a submission answers."""
        return Submission.objects.values_list("questionnaire_id", flat=True).get(pk=submission_id)

    def ask(self, *, client_id: int, questionnaire_id: int, actor: User, reason: str) -> str:
        """Ask the client to answer; returns the questionnaire's name. Raises: as `request_answers`."""
        return request_answers(
            client_id=client_id, questionnaire_id=questionnaire_id, actor=actor, reason=reason
        ).questionnaire.name

    def document_kinds_for(self, client: Client) -> list[tuple[str, str]]:
        """List what the client can be asked for, what proves means first; an open request can't be made twice."""
        open_kinds = set(DocumentRequest.objects.filter(client=client, state="open", side="").values_list("kind"))
        first = (*MEANS_KINDS, DocumentKind.OTHER)
        others = COMPANY_KINDS if client.kind == ClientKind.COMPANY else (*IDENTITY_KINDS, DocumentKind.SELFIE)
        kinds = (*first, DocumentKind.PROOF_OF_ADDRESS, *others)
        return [(kind.value, str(kind.label)) for kind in kinds if (kind.value,) not in open_kinds]

    def ask_for_document(
        self, *, client_id: int, kind: str, due_on: dt.date, message: str, actor: User
    ) -> RequestedDocument:
        """Ask the client for a document in the portal and by e-mail. Raises: as `request_from_client`."""
        return _described(
            request_from_client(client_id=client_id, kind=kind, due_on=due_on, message=message, actor=actor)
        )

    def requested_documents(self, request_ids: list[int]) -> dict[int, RequestedDocument]:
        """Look up what became of requests. One query, none for no requests."""
        if not request_ids:
            return {}
        rows = DocumentRequest.objects.filter(pk__in=request_ids).select_related("answer")
        return {row.pk: _described(row) for row in rows}

    def withdraw_document(self, *, request_id: int, actor: User) -> None:
        """Withdraw a request. Raises: as `withdraw_request`."""
        withdraw_request(request_id=request_id, actor=actor)


def _described(row: DocumentRequest) -> RequestedDocument:
    url = row.answer.get_absolute_url() if row.answer else ""
    return RequestedDocument(row.pk, str(row.title), row.state, row.answer_id, url)


identity_records.register(KycRecords())
