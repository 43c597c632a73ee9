"""Pages of a brand's texts: all of them, one with its editor and preview, and a published version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from csp.decorators import csp as csp_override
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST

from clients.languages import language_name
from clients.models import Client
from clients.queries import clients_visible_to
from clients.texts import listing
from clients.texts.forms import TextForm
from clients.texts.preview import kept_page, preview, send_test_mail
from crm.approvals.queries import get_proposal
from crm.choices import AccessKind
from crm.i18n.languages import base_of
from crm.models import Brand, TextDraft, TextProposal, TextVersion
from crm.pages.demo_mail import LETTER_POLICY
from crm.security import access_log
from crm.staff.company import brands_to_set_up
from crm.texts.catalogue import DeclaredText, Text, TextKind, find_text
from crm.texts.publishing import (
    OPENS,
    can_edit,
    discard_draft,
    languages_of,
    needs_approval,
    publish_text,
    revision_of,
    save_draft,
)
from crm.texts.reading import in_force, languages_for
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest

QUERY_CHARS_MAX = 60
STATE_LABELS = {
    "own": lambda: _("Own version"),
    "default": lambda: _("Built-in"),
    "missing": lambda: _("Missing"),
    "draft": lambda: _("With a draft"),
    "planned": lambda: _("Change planned"),
    "waiting": lambda: _("Awaiting second approval"),
}


@staff_page(OPENS)
def texts(request: UserRequest) -> HttpResponseBase:
    """Lead to the texts of one's own brand, else of the first one that the person reaches as a whole."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    if not brands:
        return render(request, "clients/texts/list.html", {"brands": brands})
    own = next((brand for brand in brands if brand.pk == request.user.brand_id), brands[0])
    return redirect("brand_texts", brand_id=own.pk)


@staff_page(OPENS)
def brand_texts(request: UserRequest, brand_id: int) -> HttpResponse:
    """List a brand's texts by kind, with their state in each language."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    brand = next((row for row in brands if row.pk == brand_id), None)
    if brand is None:
        raise Http404
    asked = {name: request.GET.get(name, "") for name in ("kind", "language", "state")}
    query = request.GET.get("q", "").strip()[:QUERY_CHARS_MAX]
    lines = listing.lines_of(brand)
    codes = dict.fromkeys(cell.language for line in lines for cell in line.cells)
    context = {
        "brands": brands,
        "brand_shown": brand,
        "lines": [line for line in lines if line.fits(query=query, **asked)],
        "kinds": [(kind.value, kind.label) for kind in TextKind],
        "languages": [(code, language_name(code)) for code in codes],
        "states": [(state, STATE_LABELS[state]()) for state in listing.STATES],
        "query": query,
        **asked,
    }
    return render(request, "clients/texts/list.html", context)


def _asked(request: UserRequest, brand_id: int, key: str) -> tuple[Brand, DeclaredText, str]:
    """Find brand, text and language of an address, within what the person reaches; else 404."""
    brand = get_object_or_404(brands_to_set_up(request.user), pk=brand_id)
    declared = find_text(key)
    if declared is None:
        raise Http404
    codes = languages_of(brand, declared)
    language = request.GET.get("language", codes[0])
    if language not in codes:
        raise Http404
    return brand, declared, language


def _client(request: UserRequest, form: TextForm, brand: Brand) -> Client | None:
    """Find the client whom the preview is for, within reach and of this brand; seen once an hour is one view."""
    pk = form.cleaned_data.get("client")
    if not pk:
        return None
    rows = clients_visible_to(request.user) if request.user.has_perm("clients.view_client") else Client.objects.none()
    client = rows.select_related("brand", "owner").filter(brand=brand, pk=pk).first()
    if client is None:
        form.add_error("client", _("There is no such client at this brand within your access."))
    elif not access_log.was_seen(user=request.user, client_id=client.pk):
        access_log.note(
            user=request.user, kind=AccessKind.VIEW, client_id=client.pk, brand_id=brand.pk, target="texts.preview"
        )
    return client


@staff_page(OPENS)
def brand_text(request: UserRequest, brand_id: int, key: str) -> HttpResponseBase:
    """Show a text in one language: editor, variables, preview, versions. A button's `action` says what to do with it."""
    brand, declared, language = _asked(request, brand_id, key)
    action = request.POST.get("action", "preview") if request.method == "POST" else ""
    draft = listing.draft_of(brand, declared, language)
    current = _current(brand, declared, language)
    start = Text(draft.heading, draft.body) if draft else current
    form = TextForm(
        request.POST or None,
        declared=declared,
        brand=brand,
        action=action,
        initial={"heading": start.heading, "body": start.body},
    )
    if action and action != "preview":
        do = _acts(request, form, brand, declared, language).get(action)
        if do is None:
            raise Http404
        work, done = do
        if run_action(request, work, done, form=form) and action != "test":
            return redirect(_address(brand, declared, language))
        draft = listing.draft_of(brand, declared, language)
    client = _client(request, form, brand) if form.is_bound and form.is_valid() else None
    shown = Text(form["heading"].value() or "", form["body"].value() or "") if "heading" in form.fields else None
    shown = shown or Text("", form["body"].value() or "")
    conflict = _conflict(request, draft, current, shown)
    order = [*languages_for(brand, language), *([] if declared.kind.is_legal else ["en"])]
    context = {
        "form": form,
        "brand_shown": brand,
        "declared": declared,
        "language": language,
        "languages": [(code, language_name(code)) for code in languages_of(brand, declared)],
        "draft": draft,
        "conflict": conflict,
        # Once both texts were shown, the next attempt is meant.
        "based_on": revision_of(draft) if conflict or not form.is_bound else request.POST.get("based_on", ""),
        "proposal": listing.proposal_of(brand, declared, language),
        "version": in_force(brand, declared.key, language),
        "history": listing.history_of(brand, declared, language),
        "order": [language_name(code) for code in dict.fromkeys(base_of(code) for code in order)],
        "needs_approval": needs_approval(brand, declared),
        "may_edit": bool(can_edit(request.user, brand.pk, declared)),
        "is_letter": declared.kind is TextKind.LETTER,
        "preview": preview(declared, brand, language, shown, user=request.user, client=client),
    }
    return render(request, "clients/texts/text.html", context, status=422 if form.errors else 200)


def _conflict(request: UserRequest, draft: TextDraft | None, current: Text, typed: Text) -> dict[str, Any] | None:
    """Compare what is typed with what a colleague made of the draft since it was opened; None where nobody did."""
    if request.POST.get("based_on") in (None, revision_of(draft)):
        return None
    theirs = Text(draft.heading, draft.body) if draft else current
    rows = listing.differences(theirs, typed)
    return {"theirs": theirs, "rows": rows or [], "is_too_long": rows is None}


def _current(brand: Brand, declared: DeclaredText, language: str) -> Text:
    """Return what is in force in this language; for a language without a text, the English one to start from."""
    version = in_force(brand, declared.key, language)
    return (version.text if version else None) or declared.texts.get(language) or declared.texts["en"]


def _address(brand: Brand, declared: DeclaredText, language: str) -> str:
    return f"{reverse('brand_text', args=[brand.pk, declared.key])}?language={language}"


Act = tuple[Callable[[], Any], str | Callable[[Any], str]]


def _acts(request: UserRequest, form: TextForm, brand: Brand, declared: DeclaredText, language: str) -> dict[str, Act]:
    """List what the buttons do. Each runs only with a valid form."""
    where: dict[str, Any] = {"brand_id": brand.pk, "key": declared.key, "language": language, "actor": request.user}

    def words() -> dict[str, Any]:
        return {**where, "heading": form.text.heading, "body": form.text.body}

    opened: dict[str, Any] = {"based_on": request.POST.get("based_on")}

    def publish(text: Text | None) -> TextVersion | TextProposal:
        data = form.cleaned_data
        return publish_text(
            **where,
            text=text,
            reason=data["reason"],
            effective_at=data["effective_at"],
            must_accept=data.get("must_accept", False),
            **opened,
        )

    test_sent = _("Test e-mail sent to %(address)s.") % {"address": request.user.email}
    return {
        "save": (lambda: save_draft(**words(), **opened), _("Draft saved.")),
        "discard": (lambda: discard_draft(**where, **opened), _("Draft discarded.")),
        "publish": (lambda: publish(form.text), _published),
        "default": (lambda: publish(None), _published),
        "test": (lambda: send_test_mail(**words()), test_sent),
    }


def _published(made: TextVersion | TextProposal) -> str:
    if isinstance(made, TextProposal):
        return _("Text proposed. Another person must approve it.")
    return _("Text published.")


@staff_page(OPENS)
@require_POST
def text_preview(request: UserRequest, brand_id: int, key: str) -> HttpResponse:
    """Show what is typed as its reader would see it, with what is wrong; asked for while somebody types."""
    brand, declared, language = _asked(request, brand_id, key)
    form = TextForm(request.POST, declared=declared, brand=brand, action="preview")
    client = _client(request, form, brand) if form.is_valid() else None
    shown = preview(declared, brand, language, form.text, user=request.user, client=client)
    context = {"preview": shown, "is_letter": declared.kind is TextKind.LETTER, "form": form, "is_live": True}
    return render(request, "clients/texts/_preview.html", context)


@csp_override(LETTER_POLICY)
@xframe_options_sameorigin
@staff_page(OPENS)
def text_frame(request: UserRequest, token: str) -> HttpResponse:
    """Serve the page of a preview, for the frame of the person whom it was made for."""
    page = kept_page(request.user, token)
    if page is None:
        raise Http404
    return HttpResponse(page)


@staff_page(OPENS)
def text_version(request: UserRequest, brand_id: int, key: str, number: int) -> HttpResponseBase:
    """Show a published version and how it differs from another; a POST publishes its words again."""
    brand, declared, language = _asked(request, brand_id, key)
    version = get_object_or_404(TextVersion, brand=brand, key=key, language=language, number=number)
    said = listing.words_of(declared, version)
    if request.method == "POST":
        done = run_action(
            request,
            lambda: publish_text(
                brand_id=brand.pk,
                key=key,
                language=language,
                text=None if version.is_default else said,
                actor=request.user,
                reason=request.POST.get("reason", "")[:300],
            ),
            _published,
        )
        if done:
            return redirect(_address(brand, declared, language))
    other = request.GET.get("with", str(number - 1) if number > 1 else "default")
    before = listing.compared_with(brand, declared, version, other)
    context = {
        "brand_shown": brand,
        "declared": declared,
        "language": language,
        "version": version,
        "said": said,
        "other": other,
        "others": [str(row.number) for row in listing.history_of(brand, declared, language) if row.number != number],
        "rows": listing.differences(before, said) if before else [],
        "is_too_long": before is not None and listing.differences(before, said) is None,
        "may_edit": bool(can_edit(request.user, brand.pk, declared)),
        "back": _address(brand, declared, language),
    }
    return render(request, "clients/texts/version.html", context, status=422 if request.method == "POST" else 200)


@staff_page(OPENS)
def text_proposal(request: UserRequest, brand_id: int, key: str, pk: int) -> HttpResponse:
    """Show a proposed version as its reader would see it and how it differs from what is in force, with the decision."""
    brand, declared, language = _asked(request, brand_id, key)
    item = get_object_or_404(TextProposal, pk=pk, brand=brand, key=key, language=language)
    proposed = Text(item.heading, item.body)
    if item.is_default:
        proposed = declared.texts.get(language) or declared.texts["en"]
    context = {
        "brand_shown": brand,
        "declared": declared,
        "proposal": get_proposal(request.user, "text", pk),
        "rows": listing.differences(_current(brand, declared, language), proposed),
        "preview": preview(declared, brand, language, proposed, user=request.user),
        "is_letter": declared.kind is TextKind.LETTER,
        "language": language,
        "back": _address(brand, declared, language),
    }
    return render(request, "clients/texts/proposal.html", context)
