"""Sending a client's document by API: as on the page, a file is kept unopened until a worker has opened it in a child process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Any, Final, cast

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Field, File, Form, Router, UploadedFile
from ninja.operation import PathView

from clients.api import CLIENTS
from clients.queries import clients_visible_to
from crm.api import openapi
from crm.api.authentication import Principal
from crm.api.fields import integer, text, time
from crm.api.problems import ApiProblem
from crm.api.resources import Resource
from crm.api.writing import KEY, Body, answer_once, hash_of, require_key, require_visible
from crm.models import User
from crm.web.uploads import takes_files
from kyc import incoming
from kyc.choices import DocumentKind, IncomingState, Side
from kyc.models import IncomingFile

PATH: Final = "/v1/incoming-documents"
SCOPE: Final = "kyc:write"


def _rows(user: User) -> QuerySet[IncomingFile]:
    return IncomingFile.objects.filter(client__in=clients_visible_to(user))


INCOMING: Final = Resource(
    "incoming-documents",
    "incoming document",
    scope="kyc:read",
    permission="kyc.view_document",
    rows=_rows,
    summary="Files that were sent: waiting to be opened, taken in as a document, or refused with a reason.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        text("kind", choices=DocumentKind.values),
        text("side", choices=Side.values),
        text("state", choices=IncomingState.values),
        text("reason", note="Why it was refused, in the sender's language"),
        integer("document_id", note="What it became"),
        time("received_at"),
        time("finished_at"),
    ),
    filters=("client_id", "kind", "state", "received_at"),
    expand={"client": CLIENTS},
)


class DocumentIn(Body):
    """Whose document it is, and what it shows."""

    client_id: int = Field(..., ge=1, le=2**63 - 1)
    kind: DocumentKind
    side: Side = Field(Side.FRONT, description="Of cards and licences, which have two")


def send_document(
    request: HttpRequest,
    payload: Annotated[DocumentIn, Form(...)],
    file: Annotated[UploadedFile, File(..., description="PDF, JPEG, PNG, HEIC or WebP")],
    idempotency_key: KEY = "",
) -> HttpResponse:
    """Send one file. The answer says where to look whether it could be read."""
    principal: Principal = request.auth  # type: ignore[attr-defined]
    principal.require(SCOPE)
    key = require_key(idempotency_key)
    unknown = sorted(set(request.POST) - set(DocumentIn.model_fields))
    if unknown or any(len(values) > 1 for _name, values in request.POST.lists()):
        errors = [{"field": name[:60], "message": "There is no such field."} for name in unknown[:10]]
        raise ApiProblem("malformed", "Some fields are unknown or given twice.", errors=errors)
    if set(request.FILES) != {"file"} or len(request.FILES.getlist("file")) != 1:
        raise ApiProblem("invalid_request", "Send one file, called file.", parameter="file")

    def work() -> int:
        clients = clients_visible_to(principal.user)
        require_visible(clients, payload.client_id)
        kept = incoming.receive(
            client=clients.get(pk=payload.client_id),
            kind=payload.kind,
            side=payload.side,
            file=cast(Any, file),
            actor=principal.user,
        )
        return kept.pk

    digest = hash_of(request, payload.model_dump_json().encode() + _sha256(file))
    return answer_once(INCOMING, principal, (key, digest), work, 201)


def _sha256(file: UploadedFile) -> bytes:
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    file.seek(0)
    return digest.digest()


class UploadView(PathView):
    """An address that takes a file, and so more than a form's size: its token is asked for before its body is read."""

    def clone(self) -> PathView:
        clone = UploadView()
        clone.__dict__.update(super().clone().__dict__)
        return clone

    def get_view(self) -> Callable[..., Any]:
        view: Callable[..., Any] = takes_files(super().get_view())
        return view


def add_upload(router: Router) -> None:
    """Add the address that takes a file."""
    view = UploadView()
    view.__dict__.update(router.path_operations[PATH].__dict__)  # with the list, which has the same address
    router.path_operations[PATH] = view
    router.add_api_operation(
        PATH,
        ["POST"],
        send_document,
        operation_id="send_document",
        url_name="send_document",
        summary="Send a document",
        tags=[INCOMING.name],
        auth=openapi.auth(),
        openapi_extra=openapi.of_write(INCOMING, SCOPE, needs_match=False, is_new=True),
    )
