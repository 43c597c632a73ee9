"""Getting started: details, identity, address, done. What is missing, what we look at, and how long it takes."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.cache import cache
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.choices import ClientKind
from clients.models import Client
from crm.i18n import formats
from kyc import incoming
from kyc.choices import IncomingState
from kyc.corporate.pages import company_of
from kyc.corporate.structure import structure_of
from kyc.document_requests.reading import open_requests
from kyc.levels.reaching import level_required
from kyc.models import Document, DocumentRequest
from kyc.providers.modes import is_provider_alone
from kyc.queries import Requirement, documents_of, requirements_of
from portal.brand_policies import KYC_EXPECTED_HOURS

# Without these an account can't be opened; the labels say it in the client's words.
NEEDED_DETAILS = (
    "first_name",
    "last_name",
    "date_of_birth",
    "nationality",
    "phone",
    "country",
    "address_line",
    "city",
    "postal_code",
)
RECENT_DOCUMENTS = 400
MEASURED_FOR_SECONDS = 600


@dataclass(frozen=True)
class Step:
    """state: done, todo, waiting (we look at it), problem (the client has to act again), later (comes by itself)."""

    slug: str
    label: str
    state: str
    hint: str
    url: str

    @property
    def needs_client(self) -> bool:
        return self.state in ("todo", "problem")


@dataclass(frozen=True)
class Progress:
    steps: list[Step]
    requirements: list[Requirement]
    documents: list[Document]
    is_verified: bool
    expected: str
    requests: list[DocumentRequest] = field(default_factory=list)

    @property
    def current(self) -> int:
        """The first step that is not done; past the end when all are."""
        return next((n for n, step in enumerate(self.steps) if step.state != "done"), len(self.steps))

    @property
    def next_step(self) -> Step | None:
        """What the client has to do next; None while they only wait, or are done."""
        return next((step for step in self.steps if step.needs_client), None)

    @property
    def steps_left(self) -> int:
        """How many the client has to do themselves."""
        return sum(step.needs_client for step in self.steps)

    @property
    def percent(self) -> int:
        weight = {"done": 1.0, "waiting": 0.75, "problem": 0.25, "todo": 0.0, "later": 0.0}
        return round(100 * sum(weight[step.state] for step in self.steps) / len(self.steps))

    @property
    def is_waiting(self) -> bool:
        return self.next_step is None and not self.is_verified

    @property
    def is_under_review(self) -> bool:
        """Whether some document still gets its answer, also where the client may trade already or has to act besides."""
        return any(requirement.state == "waiting" for requirement in self.requirements)

    @property
    def labels(self) -> list[str]:
        return [step.label for step in self.steps]


def progress_of(client: Client) -> Progress:
    """Describe how far a client's onboarding is. One query for the documents, and one for files being opened where one is owed."""
    documents = documents_of(client)
    requirements = requirements_of(client, documents)
    owes = any(requirement.needs_client for requirement in requirements)
    checked = (
        {file.kind for file in incoming.shown_for(client) if file.state == IncomingState.WAITING} if owes else set()
    )
    is_online = owes and client.kind != ClientKind.COMPANY and is_provider_alone(client.brand)
    verified, requests = client.kyc_level >= level_required(client), open_requests(client)
    steps = [
        _details_step(client),
        *[_request_step(asked) for asked in requests],
        *([_people_step(client)] if client.kind == ClientKind.COMPANY else []),
        *[
            _document_step(
                requirement,
                is_checked=not checked.isdisjoint(requirement.kinds),
                is_online=is_online and requirement.slug == "identity",
            )
            for requirement in requirements
        ],
        _done_step(client, verified),
    ]
    return Progress(steps, requirements, documents, verified, expected_wait(client), requests)


def missing_details(client: Client) -> list[str]:
    """List the details that are still blank and needed for verification; a company's are on its own page."""
    if client.kind == ClientKind.COMPANY:
        return []
    return [name for name in NEEDED_DETAILS if not getattr(client, name)]


def _details_step(client: Client) -> Step:
    missing = missing_details(client)
    hint = (
        ngettext("%(count)s detail is missing.", "%(count)s details are missing.", len(missing))
        % {"count": len(missing)}
        if missing
        else _("Complete.")
    )
    url = reverse("portal_company" if client.kind == ClientKind.COMPANY else "portal_details")
    return Step("details", _("Your details"), "todo" if missing else "done", hint, url)


def _people_step(client: Client) -> Step:
    """Describe a company's directors and owners as a step: the first thing that is wrong, where something is."""
    company = company_of(client)
    flaws = structure_of(company).flaws if company else []
    state, hint = ("todo", flaws[0]) if flaws else ("done", _("Complete."))
    return Step("people", _("Directors and owners"), state, hint, reverse("portal_company"))


def _document_step(one: Requirement, *, is_checked: bool, is_online: bool) -> Step:
    """Describe a required document as a step.

    is_checked: its file is being opened, so nothing more is asked for. is_online: the brand's KYC provider is the way to it.
    """
    url = reverse("portal_documents") + f"#{one.slug}"
    if is_checked and one.needs_client:
        return Step(one.slug, one.label, "waiting", _("We're checking your file."), url)
    if is_online and one.state in ("missing", "expired"):
        verify = _("Please verify your identity online.")
        return Step(one.slug, one.label, "todo", verify, reverse("portal_verification"))
    states = {"approved": "done", "waiting": "waiting", "rejected": "problem", "expired": "problem", "missing": "todo"}
    hints = {
        "approved": _("Approved."),
        "waiting": _("Under review."),
        "rejected": one.reason or _("We couldn't accept this document. Please upload another one."),
        "expired": _("This document has expired. Please upload a valid one."),
        "missing": _("The other side is missing.") if one.missing_side else _("Please upload this document."),
    }
    return Step(one.slug, one.label, states[one.state], hints[one.state], url)


def _request_step(asked: DocumentRequest) -> Step:
    """Describe a document that an officer asked for as a step, with the reason and the last day."""
    hint = _("%(reason)s Please send it by %(day)s.") % {"reason": asked.message, "day": formats.day(asked.due_on)}
    return Step(f"request-{asked.pk}", str(asked.title), "problem", hint, reverse("portal_documents") + "#requested")


def _done_step(client: Client, verified: bool) -> Step:
    hint = (
        _("You can deposit, trade and withdraw.")
        if verified
        else _("Once you're verified, you can deposit, trade and withdraw.")
    )
    return Step("done", _("Ready to trade"), "done" if verified else "later", hint, reverse("portal"))


def expected_wait(client: Client) -> str:
    """Write how long a document takes now: what four of five of the brand's recent ones took, else the brand's promise."""
    key = f"portal:kyc-wait:{client.brand_id}"
    hours = cache.get(key)
    if hours is None:
        hours = _measured_hours(client.brand_id) or float(KYC_EXPECTED_HOURS.of(client.brand))
        cache.set(key, hours, MEASURED_FOR_SECONDS)
    if hours < 1:
        minutes = max(5, math.ceil(hours * 60 / 5) * 5)
        return ngettext("usually within %(n)s minute", "usually within %(n)s minutes", minutes) % {"n": minutes}
    if hours <= 36:
        return ngettext("usually within %(n)s hour", "usually within %(n)s hours", math.ceil(hours)) % {
            "n": math.ceil(hours)
        }
    days = math.ceil(hours / 24)
    return ngettext("usually within %(n)s day", "usually within %(n)s days", days) % {"n": days}


def _measured_hours(brand_id: int) -> float | None:
    """Measure the newest documents only: a range of the primary key, whatever the table holds."""
    newest = Document.objects.order_by("-pk").values_list("client__brand_id", "uploaded_at", "reviewed_at")
    took = _durations(
        [(brand, sent, seen) for brand, sent, seen in newest[:RECENT_DOCUMENTS] if brand == brand_id and seen]
    )
    return took[int(len(took) * 0.8)] if len(took) >= 5 else None


def _durations(rows: Sequence[tuple[int, dt.datetime, dt.datetime]]) -> list[float]:
    return sorted((reviewed - uploaded).total_seconds() / 3600 for _brand, uploaded, reviewed in rows)
