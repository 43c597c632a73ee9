"""Documents for staff: the list, one with its hashes and file, proving a presented one, a month's of all clients."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.choices import AccessKind
from crm.errors import DomainError
from crm.models import Brand
from crm.security import access_log
from crm.security.crypto import KeyDestroyed
from crm.security.scope import reach_of
from crm.security.sealed_files import FileDamaged, FileMissing
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from wallet.choices.documents import CONTENT_TYPES, Ending
from wallet.core import queries
from wallet.documents import batches, receipts, store
from wallet.documents import psp_pack as packs
from wallet.documents.forms import PROVE_BYTES_MAX, LanguageForm, MonthForm, ProveForm
from wallet.documents.tables import DocumentTable
from wallet.models import IssuedDocument


class DocumentList(TableView):
    table = DocumentTable
    template_name = "wallet/documents/documents.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        user = self.request.user
        return {
            "may_make": user.has_perm("wallet.make_issueddocument"),
            "may_letterhead": user.has_perm("wallet.manage_letterhead"),
        }


def _find(request: UserRequest, pk: int) -> IssuedDocument:
    rows = store.documents_visible_to(request.user).select_related("brand", "client", "made_by")
    return queries.one_of(rows, pk, request.user, "wallet.view_issueddocument")


@staff_page("wallet.view_issueddocument")
def document_page(request: UserRequest, pk: int) -> HttpResponse:
    document = _find(request, pk)
    if document.client_id:
        access_log.note(
            user=request.user,
            kind=AccessKind.VIEW,
            client_id=document.client_id,
            brand_id=document.brand_id,
            target=f"wallet.document:{document.pk}",
        )
    others = store.documents_visible_to(request.user).filter(
        brand_id=document.brand_id, kind=document.kind, subject=document.subject
    )
    return render(
        request,
        "wallet/documents/document.html",
        {"document": document, "others": list(others.exclude(pk=pk).select_related("made_by").order_by("-id")[:10])},
    )


@staff_page("wallet.view_issueddocument")
def document_file(request: UserRequest, pk: int) -> HttpResponseBase:
    """Download the file; the download is in the access log."""
    document = _find(request, pk)
    access_log.note(
        user=request.user,
        kind=AccessKind.DOWNLOAD,
        client_id=document.client_id,
        brand_id=document.brand_id,
        target=f"wallet.document:{document.pk}",
    )
    return file_response(document)


def file_response(document: IssuedDocument) -> StreamingHttpResponse:
    """Stream the file in chunks. Raises DomainError when it can't be read any more."""
    chunks = store.content_of(document)
    try:
        first = next(chunks, b"")
    except KeyDestroyed:
        raise DomainError(
            _(
                "The client's data was erased, so this document can no longer be read. Its hashes still "
                "prove its content."
            )
        ) from None
    except (FileMissing, FileDamaged):
        raise DomainError(
            _("The file is missing or damaged. Create the document again and contact your administrator.")
        ) from None
    response = StreamingHttpResponse(_with(first, chunks), content_type=CONTENT_TYPES[Ending(document.ending)])
    response["Content-Length"] = str(document.size_bytes)
    response["Content-Disposition"] = content_disposition_header(True, document.file_name) or "attachment"
    response["Cache-Control"] = "no-store"
    return response


def _with(first: bytes, rest: Any) -> Any:
    yield first
    yield from rest


# ── proving ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@takes_files(file_bytes_max=PROVE_BYTES_MAX)
@staff_page("wallet.view_issueddocument")
def prove(request: UserRequest) -> HttpResponse:
    """Prove that a document is ours and unchanged, by the file's bytes or by the hash that is printed on it."""
    form = ProveForm(request.POST, request.FILES) if request.method == "POST" else ProveForm()
    context: dict[str, Any] = {"form": form, "limit": PROVE_BYTES_MAX}
    status = 200
    if request.method == "POST":
        if form.is_valid():
            context |= _proved(request, form)
        else:
            status = 422
    return render(request, "wallet/documents/document_prove.html", context, status=status)


def _proved(request: UserRequest, form: ProveForm) -> dict[str, Any]:
    file, text = form.cleaned_data.get("file"), form.cleaned_data["hash"]
    if file:
        digest = hashlib.sha256()
        for chunk in file.chunks():
            digest.update(chunk)
        text = digest.hexdigest()
    documents = store.with_hash(request.user, text)
    for document in documents:
        if document.client_id:
            access_log.note(
                user=request.user,
                kind=AccessKind.VIEW,
                client_id=document.client_id,
                brand_id=document.brand_id,
                target=f"wallet.document:{document.pk}:proved",
            )
    return {"found": documents, "asked": text, "by_file": bool(file)}


# ── making ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@staff_page("wallet.make_issueddocument")
def month(request: UserRequest) -> HttpResponseBase:
    """Start the job for a month's statements or invoices of all clients of a brand."""
    brands = Brand.objects.filter(pk__in=reach_of(request.user).whole_brands)
    form = MonthForm(request.POST or None, brands=brands)
    done = run_action(
        request,
        lambda: batches.order_batch(
            kind=form.cleaned_data["kind"],
            brand=form.cleaned_data["brand"],
            month=form.cleaned_data["month"],
            actor=request.user,
        ),
        form=form,
    )
    if done:
        return redirect("job", pk=done.result.pk)
    return render(request, "wallet/documents/document_month.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@staff_page("wallet.make_issueddocument")
def receipt(request: UserRequest, pk: int) -> HttpResponseBase:
    rows = queries.deposits_visible_to(request.user).select_related("client__brand")
    deposit = queries.one_of(rows, pk, request.user, "wallet.make_issueddocument")
    form = LanguageForm(request.POST)
    language = form.cleaned_data["language"] if form.is_valid() else ""
    done = run_action(request, lambda: receipts.order_receipt(deposit=deposit, actor=request.user, language=language))
    return redirect("job", pk=done.result.pk) if done else redirect("wallet:deposit", deposit.pk)


@require_POST
@staff_page("wallet.make_issueddocument")
def psp_pack(request: UserRequest, pk: int) -> HttpResponseBase:
    """Start the job for a report's pack, as pdf or xlsx (`ending`)."""
    rows = queries.imports_visible_to(request.user).select_related("psp__brand").defer("psp__sealed_credentials")
    report = queries.one_of(rows, pk, request.user, "wallet.make_issueddocument")
    ending = Ending.XLSX if request.POST.get("ending") == Ending.XLSX else Ending.PDF
    user = request.user
    done = run_action(
        request, lambda: packs.order_psp_pack(report=report, ending=ending, language=user.language, actor=user)
    )
    return redirect("job", pk=done.result.pk) if done else redirect("wallet:settlement", pk=report.pk)
