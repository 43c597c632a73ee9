"""A client's check at the brand's provider: starting it, going on there, and cancelling it."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import ClientKind, Stage, TimelineKind
from clients.models import Client
from clients.policies import can
from crm.connections.http import watched
from crm.connections.protocol import ServiceUnknown
from crm.db.locking import lock
from crm.errors import DomainError, OutsideWorldError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.security import audit
from crm.security.policies import require
from kyc import policies
from kyc.audit_codes import KycAction
from kyc.choices import OPEN_STATES, DocumentState
from kyc.models import Document, KycProvider, ProviderCheck
from kyc.providers.adapters import adapter_of
from kyc.providers.choices import CLIENTS_TURN, OPEN_CHECKS, ProviderCheckState, VerifiedBy
from kyc.providers.modes import provider_of, verified_by
from kyc.providers.protocol import Applicant

LINK_SECONDS: Final = 1_800
# After so many seconds without an answer nothing is under way any more: then it is looked up.
LOOK_UP_AFTER: Final = dt.timedelta(seconds=60)
CHECKS_PER_DAY_MAX: Final = 5


class ProviderAway(DomainError):
    """The provider can't be reached now; in words for the client, who learns nothing of addresses and keys."""

    code = "provider_away"


@transaction.atomic
def start_check(*, client_id: int, actor: Actor) -> ProviderCheck:
    """Start a check at the brand's provider, or go on with the one that is open. Nothing is sent yet: `send_check`.

    Who: the client, or `kyc.send_document` in reach. Raises: NotAllowed, WrongState (no provider, account closed, a company,
    refused before, verified already), DomainError (too many today).
    """
    client = lock(Client, client_id, "brand", no_key=True)
    require(policies.can_upload(actor, client))
    current = ProviderCheck.objects.filter(client=client).select_related("provider").first()
    if current is not None and current.state in OPEN_CHECKS:
        return current
    provider = provider_of(client.brand)
    if provider is None or verified_by(client.brand) == VerifiedBy.BUILT_IN:
        raise WrongState(_("Online verification isn't available. Please upload your documents instead."))
    _refuse_what_can_not_start(client, current)
    now = timezone.now()
    check = ProviderCheck.objects.create(
        provider=provider,
        client=client,
        external_id=f"k{client.pk}-{secrets.token_hex(8)}",
        level_name=provider.level_name,
        started_by=actor,
        started_at=now,
        look_due_at=now + LOOK_UP_AFTER,
    )
    audit.record(
        actor=actor,
        action=KycAction.PROVIDER_CHECK_STARTED,
        target=check,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"provider": provider.name, "level": provider.level_name, "external_id": check.external_id},
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.DOCUMENT,
        actor=actor,
        title=phrase("Verification started with %(provider)s") % {"provider": provider.name},
        dedupe_key=f"provider-check:{check.pk}",
        is_visible_to_client=True,
    )
    return check


def _refuse_what_can_not_start(client: Client, last: ProviderCheck | None) -> None:
    if client.stage == Stage.CLOSED:
        raise WrongState(_("This account is closed."))
    if client.kind == ClientKind.COMPANY:
        raise WrongState(_("Companies are verified by their documents. Please upload them instead."))
    if last is not None and last.state == ProviderCheckState.REFUSED:
        raise WrongState(_("Your verification is with our compliance team. You don't need to do anything."))
    if last is not None and last.state == ProviderCheckState.PASSED and is_of_use(last):
        raise WrongState(_("You've already completed this verification."))
    since = timezone.now() - dt.timedelta(days=1)
    if (
        len(ProviderCheck.objects.filter(client=client, started_at__gt=since)[:CHECKS_PER_DAY_MAX])
        == CHECKS_PER_DAY_MAX
    ):
        raise DomainError(_("You've started too many verifications today. Please try again tomorrow."))


def is_of_use(check: ProviderCheck) -> bool:
    """Tell whether a passed check still counts: one of its documents is approved or on its way, or none has come yet."""
    usable = [*OPEN_STATES, DocumentState.APPROVED]
    documents = Document.objects.filter(provider_picture__check_at_provider=check)
    return not check.has_pictures or documents.filter(state__in=usable).exists()


def send_check(check_id: int) -> ProviderCheck:
    """Create the applicant at the provider, once. A lost answer is looked up by our id, never sent again.

    Raises: ProviderAway.
    """
    check = ProviderCheck.objects.select_related("provider", "client__brand").get(pk=check_id)
    if check.state != ProviderCheckState.STARTING or check.applicant_id:
        return check
    try:
        with watched(check.provider):
            applicant_id = adapter_of(check.provider).create(applicant_of(check))
    except OutsideWorldError as error:
        state = ProviderCheckState.UNKNOWN if isinstance(error, ServiceUnknown) else ProviderCheckState.FAILED
        _note_sent(check_id, state, problem=error.message)
        raise _away() from error
    return _note_sent(check_id, ProviderCheckState.OPEN, applicant_id=applicant_id)


def _away() -> ProviderAway:
    return ProviderAway(
        _("Our verification partner can't be reached at the moment. Please try again in a few minutes.")
    )


@transaction.atomic
def _note_sent(check_id: int, state: ProviderCheckState, *, applicant_id: str = "", problem: str = "") -> ProviderCheck:
    check = lock(ProviderCheck, check_id, "provider", "client__brand")
    if check.state != ProviderCheckState.STARTING:
        return check  # a look-up was quicker
    check.move_to(state)
    check.applicant_id, check.problem = applicant_id, problem[:300]
    check.look_due_at = None if state == ProviderCheckState.FAILED else timezone.now() + LOOK_UP_AFTER
    check.save(update_fields=["state", "applicant_id", "problem", "look_due_at"])
    return check


def applicant_of(check: ProviderCheck) -> Applicant:
    """Describe the client as registered, for the provider to compare the documents with."""
    client = check.client
    return Applicant(
        external_id=check.external_id,
        level_name=check.level_name,
        first_name=client.first_name,
        last_name=client.last_name,
        birth_date=client.date_of_birth,
        country=str(client.country or ""),
        email=client.email,
        phone=client.phone,
        language=client.language,
    )


def link_for(check: ProviderCheck, *, return_url: str) -> str:
    """Make the address under which the client goes on at the provider; it opens for LINK_SECONDS and is kept nowhere.

    Raises: WrongState (not the client's turn), ProviderAway.
    """
    if check.state not in CLIENTS_TURN:
        raise WrongState(_("There's nothing for you to do at the moment."))
    try:
        with watched(check.provider):
            link = adapter_of(check.provider).link(applicant_of(check), return_url=return_url, ttl_seconds=LINK_SECONDS)
    except OutsideWorldError as error:
        raise _away() from error
    return link.url


@transaction.atomic
def cancel_check(*, check_id: int, actor: User, reason: str) -> ProviderCheck:
    """Cancel a check: the client may start another one. Its documents stay; the provider is asked to end it, too.

    Who: `kyc.review_document` in reach. Raises: NotAllowed, WrongState (over already), DomainError (no reason).
    """
    client_id = ProviderCheck.objects.values_list("client_id", flat=True).get(pk=check_id)
    client = lock(Client, client_id, "brand", no_key=True)
    check = lock(ProviderCheck, check_id, "provider")
    require(can(actor, client, "kyc.review_document"))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    before = check.state
    check.move_to(ProviderCheckState.CANCELLED)
    check.look_due_at = None
    check.save(update_fields=["state", "look_due_at"])
    audit.record(
        actor=actor,
        action=KycAction.PROVIDER_CHECK_CANCELLED,
        target=check,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"state": before},
        after={"state": check.state},
        reason=reason.strip(),
    )
    if check.applicant_id:
        provider, applicant_id = check.provider, check.applicant_id
        transaction.on_commit(lambda: _end_at_provider(provider, applicant_id), robust=True)
    return check


def _end_at_provider(provider: KycProvider, applicant_id: str) -> None:
    """Ask once: a provider that refuses (it is checking right now) or is away keeps an applicant that nobody looks up any more."""
    with watched(provider):
        adapter_of(provider).cancel(applicant_id)
