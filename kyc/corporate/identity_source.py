"""What KYC hands to the apps beside it through `clients.proofs.identity_records`."""

from __future__ import annotations

from clients.models import Client
from clients.proofs import identity_records
from clients.proofs.identity_records import CompanyRecord, IdentityDocument, LinkedPerson
from crm.models import User
from kyc.choices import IDENTITY_KINDS, DocumentState
from kyc.corporate.pages import company_of
from kyc.corporate.structure import structure_of
from kyc.examination.states import alpha2_of
from kyc.models import Document
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


identity_records.register(KycRecords())
