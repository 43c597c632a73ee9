"""Documents and questionnaires in the API: what was sent in and decided, never a file, its name, or what a client answered."""

from __future__ import annotations

from typing import Final

from django.db.models import QuerySet
from ninja import Router

from clients.api import CLIENTS
from clients.queries import clients_visible_to
from crm.api.fields import boolean, day, integer, text, texts, time
from crm.api.reading import register
from crm.api.resources import Resource
from crm.models import User
from kyc.api.incoming import INCOMING, add_upload
from kyc.choices import DocumentKind, DocumentState
from kyc.queries import documents_visible_to
from kyc.questionnaires.choices import QuestionnaireKind
from kyc.questionnaires.models import Submission
from kyc.questionnaires.policies import READS, WRITES
from kyc.questionnaires.tables import questionnaires_visible_to

router = Router()
DOCUMENTS: Final = Resource(
    "documents",
    "document",
    scope="kyc:read",
    permission="kyc.view_document",
    rows=documents_visible_to,
    summary="Documents of clients: their kind, state and decision.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        text("kind", choices=DocumentKind.values),
        text("side"),
        text("state", choices=DocumentState.values),
        text("issuing_country"),
        day("expires_on"),
        time("uploaded_at"),
        time("reviewed_at"),
        text("reason_code"),
    ),
    filters=("client_id", "kind", "state", "uploaded_at", "reviewed_at", "expires_on"),
    expand={"client": CLIENTS},
)
QUESTIONNAIRES: Final = Resource(
    "questionnaires",
    "questionnaire",
    scope="kyc:read",
    permission=WRITES,
    rows=questionnaires_visible_to,
    summary="What clients of a brand are asked.",
    fields=(
        integer("id"),
        text("brand", "brand__code"),
        text("kind", choices=QuestionnaireKind.values),
        text("name"),
        time("created_at"),
    ),
    filters=("brand", "kind"),
)


def _submissions(user: User) -> QuerySet[Submission]:
    return Submission.objects.filter(client__in=clients_visible_to(user))


SUBMISSIONS: Final = Resource(
    "submissions",
    "submission",
    scope="kyc:read",
    permission=READS,
    rows=_submissions,
    summary="That a client answered a questionnaire, with score and outcome; the answers themselves stay on the page.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        integer("questionnaire_id"),
        text("kind", "questionnaire__kind", choices=QuestionnaireKind.values),
        integer("version", "version__number"),
        integer("score"),
        integer("score_max"),
        text("outcome", note="Id of the version's outcome"),
        boolean("needs_acknowledgement"),
        integer("leverage_max"),
        texts("account_kinds"),
        time("cooling_off_until"),
        time("given_at"),
        time("valid_until", note="Empty: until it is asked for again"),
    ),
    filters=("client_id", "questionnaire_id", "kind", "outcome", "given_at", "valid_until"),
    expand={"client": CLIENTS},
)
register(router, DOCUMENTS, INCOMING, QUESTIONNAIRES, SUBMISSIONS)
add_upload(router)
