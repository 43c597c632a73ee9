"""What the pages in the client portal and on a phone share: one draft, who acts on it, and the answers to its script."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import orjson
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from crm.errors import DomainError, outcome_of
from crm.models import User
from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from kyc.choices import Side
from kyc.intake import FileRefused
from kyc.models import UploadDraft, UploadHandover, UploadPage
from kyc.uploads import pages
from kyc.uploads.guidance import SidePlan, plan_of
from kyc.uploads.submission import gap_in, sides_needed

ACCEPT = "image/jpeg,image/png,image/webp,application/pdf"
PICTURES = "image/jpeg,image/png,image/webp"
JSON_BYTES_MAX = 4096
CHECK = "check"


@dataclass(frozen=True)
class Door:
    """A draft and who adds to it: its owner, or a phone in the owner's name. prefix, key: of the addresses on this side."""

    draft: UploadDraft
    actor: User
    prefix: str
    key: Any
    phone: UploadHandover | None = None

    def address(self, name: str, *args: object) -> str:
        return reverse(f"{self.prefix}{name}", args=[self.key, *args])

    @property
    def home(self) -> str:
        return self.address("")

    @property
    def pages_url(self) -> str:
        return self.address("_pages")

    @property
    def send_url(self) -> str:
        return self.address("_send")


@dataclass(frozen=True)
class ShownPage:
    """A page as its list shows it, with its addresses."""

    page: UploadPage
    url: str
    change_url: str
    preview_url: str


@dataclass(frozen=True)
class Step:
    """One step of the upload: a side, or the last one where everything is sent."""

    slug: str
    label: Any
    url: str
    is_done: bool
    is_current: bool


def step_context(door: Door, wished: str) -> dict[str, Any]:
    """Describe the step that a reader is at: a side with its pages, or the last look before sending."""
    draft = door.draft
    needed, found = sides_needed(draft.client, draft.kind), list(draft.pages.all())
    gap = gap_in(needed, found)
    current = wished if wished in {*(plan.side for plan in needed), CHECK} else gap.side if gap else CHECK
    if current == CHECK and gap is not None:
        current = gap.side
    slugs = [*(plan.side.value for plan in needed), CHECK]
    place = slugs.index(current)
    plan = next((plan for plan in needed if plan.side == current), None)
    own = [page for page in found if page.side == current]
    return {
        "door": door,
        "draft": draft,
        "plan": plan_of(draft.kind),
        "side": plan,
        "needed": [(side, _shown(door, found, side)) for side in needed],
        "pages": _shown(door, found, plan) if plan else [],
        "is_full": plan is not None and len(own) >= plan.pages_max,
        "is_done": gap is None or (plan is not None and bool(own) and all(page.is_whole for page in own)),
        "step_url": f"{door.home}?step={current}",
        "next_url": f"{door.home}?step={slugs[min(place + 1, len(slugs) - 1)]}",
        "back_url": f"{door.home}?step={slugs[place - 1]}" if place else "",
        "steps": [
            Step(
                slug,
                side.label if side else None,
                f"{door.home}?step={slug}",
                is_done=number < place,
                is_current=number == place,
            )
            for number, (slug, side) in enumerate(zip(slugs, [*needed, None], strict=True))
        ],
        "accept": ACCEPT,
        "pictures": PICTURES,
        "max_bytes": settings.UPLOAD_MAX_BYTES,
        "chunk_bytes": pages.CHUNK_BYTES_MAX,
    }


def _shown(door: Door, found: list[UploadPage], side: SidePlan) -> list[ShownPage]:
    return [
        ShownPage(
            page,
            door.address("_page", page.pk),
            door.address("_change", page.pk),
            # A phone shows what it has just sent from its own memory, and nothing else of the client's.
            door.address("_preview", page.pk) if door.phone is None and page.is_whole else "",
        )
        for page in found
        if page.side == side.side
    ]


def too_large(request: HttpRequest, message: str) -> HttpResponse:
    """Refuse a file that is too large: in words for the script that sends it, or on a page without it."""
    if wants_json(request):
        return JsonResponse({"message": message}, status=413)
    return render(request, "portal/upload_refused.html", {"message": message}, status=413)


# ── what the script and the plain form do ────────────────────────────────────────────────────────────────────────────
def wants_json(request: HttpRequest) -> bool:
    """Check whether the page's script asks, which shows the answer itself."""
    return request.headers.get("X-Requested-With") == "XMLHttpRequest"


def take_page(request: HttpRequest, door: Door) -> HttpResponse:
    """Announce a page (JSON, from the script), or take a whole file (a plain form)."""
    if request.content_type == "application/json":
        return _announce(request, door)
    side, file = request.POST.get("side", ""), request.FILES.get("file")
    if side not in Side.values:
        raise Http404
    if file is not None:
        run_action(
            request,
            lambda: pages.add_file(
                draft_id=door.draft.pk,
                side=side,
                file=cast(BinaryIO, file),
                name=file.name or "",
                actor=door.actor,
                is_from_phone=door.phone is not None,
            ),
            show_forbidden=True,
        )
    return redirect(f"{door.home}?step={side}")


def _announce(request: HttpRequest, door: Door) -> HttpResponse:
    body = request.body
    fields = orjson.loads(body) if len(body) <= JSON_BYTES_MAX and _is_json(body) else None
    if not isinstance(fields, dict) or type(fields.get("size")) is not int or fields.get("side") not in Side.values:
        raise Http404
    begun = outcome_of(
        lambda: pages.begin_page(
            draft_id=door.draft.pk,
            side=fields["side"],
            name=str(fields.get("name", ""))[:400],
            size_bytes=fields["size"],
            sha256=str(fields.get("sha256", "")),
            actor=door.actor,
            is_from_phone=door.phone is not None,
        )
    )
    if not begun:
        return refused(begun.error)
    page = begun.result
    answer = {"id": page.pk, "offset": page.received_bytes, "url": door.address("_page", page.pk)}
    return JsonResponse(answer, status=201)


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def page_bytes(request: HttpRequest, door: Door, page_id: int) -> HttpResponse:
    """Say how much of a page has arrived (HEAD, GET), or take its next part (PATCH)."""
    if request.method != "PATCH":
        return _offset(pages.page_of(door.draft, page_id))
    offset = request.headers.get("Upload-Offset", "")
    if not is_whole(offset):
        raise Http404
    taken = outcome_of(
        lambda: pages.append_chunk(
            draft_id=door.draft.pk, page_id=page_id, offset=int(offset), content=request.body, actor=door.actor
        )
    )
    if taken:
        return _offset(taken.result)
    if isinstance(taken.error, pages.WrongOffset):
        response = refused(taken.error, status=409)
        response["Upload-Offset"] = str(taken.error.offset)
        return response
    if isinstance(taken.error, FileRefused) or taken.error.code == "sent_before":
        # Not one of ours: it would only be in the way of the next one.
        outcome_of(lambda: pages.drop_page(draft_id=door.draft.pk, page_id=page_id, actor=door.actor))
    return refused(taken.error)


def _offset(page: UploadPage) -> HttpResponse:
    response = HttpResponse(status=204)
    response["Upload-Offset"] = str(page.received_bytes)
    response["Upload-Length"] = str(page.size_bytes)
    response["Upload-Complete"] = "?1" if page.is_whole else "?0"
    return response


def refused(error: DomainError, *, status: int = 422) -> JsonResponse:
    """Answer the script with the sentence that its reader sees."""
    return JsonResponse({"message": str(error.message), "code": error.code}, status=status)


def change_page(request: HttpRequest, door: Door, page_id: int) -> HttpResponse:
    """Remove a page, or move it up or down."""
    page = pages.page_of(door.draft, page_id)
    act = request.POST.get("act", "")
    if act == "remove":
        run_action(
            request,
            lambda: pages.drop_page(draft_id=door.draft.pk, page_id=page_id, actor=door.actor),
            show_forbidden=True,
        )
    elif act in pages.PLACES:
        run_action(
            request,
            lambda: pages.move_page(draft_id=door.draft.pk, page_id=page_id, to=act, actor=door.actor),
            show_forbidden=True,
        )
    else:
        raise Http404
    return redirect(f"{door.home}?step={page.side}")
