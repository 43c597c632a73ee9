"""Looking a check up at the provider: its state there is what counts, whatever a webhook said and in whatever order.

A worker looks up what is due: after a webhook, when the client comes back, and regularly while a check is open, so that a lost
webhook costs minutes. The answer is applied under the locks of client and check unless a later look-up was quicker; the pictures
of a result are fetched before its documents are judged.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import logging
from collections.abc import Mapping
from typing import Final

import orjson
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients import timeline
from clients.choices import TimelineKind
from clients.mail import send_mail_to
from clients.models import Client
from crm.connections.http import watched
from crm.connections.protocol import ServiceRefused
from crm.db.locking import lock
from crm.errors import DomainError, OutsideWorldError
from crm.files.parsing import ParsingBusy
from crm.i18n.localized_text import LocalizedText, phrase
from crm.notices.notify import notify, people_with
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit, crypto
from kyc import documents, intake
from kyc.audit_codes import KycAction
from kyc.choices import IssueCode, KycNotice, Verdict
from kyc.models import Document, ProviderCheck, ProviderPicture
from kyc.names import Match, compare_person
from kyc.providers.adapters import adapter_of
from kyc.providers.choices import OPEN_CHECKS, WITH_RESULT, ProviderCheckState
from kyc.providers.protocol import Answer, CheckView, Person, Picture, StepResult
from kyc.providers.revisions import withdraw_approvals
from kyc.providers.steps import REGISTRATION
from kyc.verdicts.asking import request_text

logger = logging.getLogger(__name__)

STATES: Final[Mapping[Answer, ProviderCheckState]] = {answer: ProviderCheckState(answer.value) for answer in Answer}
SOONEST, LATEST = dt.timedelta(minutes=2), dt.timedelta(hours=6)
CLAIMED: Final = dt.timedelta(seconds=120)
GIVEN_UP_AFTER: Final = dt.timedelta(days=30)
BACK_OFF_SECONDS: Final = (10, 30, 120, 600, 1800, 7200)
# What a selfie needs is no matter of the document.
SELFIE_AGAIN: Final = gettext_lazy(
    "Your selfie couldn't be compared with your document. Please take it again in good light, without a hat or sunglasses."
)


def ask_soon(check: ProviderCheck) -> None:
    """Have a check looked up now; the caller holds its lock or has just made it."""
    check.look_due_at, check.look_attempts = timezone.now(), 0
    check.save(update_fields=["look_due_at", "look_attempts"])
    enqueue_on_commit("kyc.look_up_provider_check", check.pk)


def due(*, limit: int = 100) -> list[int]:
    """List the checks that are due for a look-up, the longest overdue first."""
    rows = ProviderCheck.objects.filter(look_due_at__lte=timezone.now()).order_by("look_due_at", "pk")
    return list(rows.values_list("pk", flat=True)[:limit])


def claim_due(*, limit: int = 200) -> list[int]:
    """Take what is due for workers to look up: it isn't handed over again while they are at it, and is due again if they die."""
    ids = due(limit=limit)
    ProviderCheck.objects.filter(pk__in=ids).update(look_due_at=timezone.now() + CLAIMED)
    return ids


def look_up_due(*, limit: int = 100) -> int:
    """Look up what is due; for the sweeper and for tests. Returns how many were answered."""
    return sum(look_up(pk) for pk in due(limit=limit))


def look_up(check_id: int) -> bool:
    """Look a check up and apply what the provider says; False where it gave no usable answer, which is tried again later."""
    check = ProviderCheck.objects.select_related("provider", "client__brand").get(pk=check_id)
    if check.state in (ProviderCheckState.CANCELLED, ProviderCheckState.FAILED) or check.deleted_at is not None:
        return False
    began = timezone.now()
    adapter = adapter_of(check.provider)
    try:
        with watched(check.provider):
            view = adapter.look_up(external_id=check.external_id, applicant_id=check.applicant_id)
            if view is not None and view.external_id != check.external_id:
                raise ServiceRefused(_("The provider's applicant belongs to another client."))
        if view is None:
            _note_missing(check_id)
            return True
        check = _apply(check_id, view, began)
        if check.state in WITH_RESULT and check.state != ProviderCheckState.RETRY and not check.has_pictures:
            _keep_pictures(check, view)
        return True
    except crypto.KeyDestroyed:
        ProviderCheck.objects.filter(pk=check_id).update(look_due_at=None)  # erased: `kyc.providers.erasure` goes on
        return False
    except (OutsideWorldError, ParsingBusy) as error:
        _try_later(check_id, error)
        return False


@transaction.atomic
def _try_later(check_id: int, error: Exception) -> None:
    check = lock(ProviderCheck, check_id)
    step = min(check.look_attempts, len(BACK_OFF_SECONDS) - 1)
    wait = max(BACK_OFF_SECONDS[step], getattr(error, "wait_seconds", 0))
    check.look_attempts = min(check.look_attempts + 1, 1000)
    check.look_due_at = timezone.now() + dt.timedelta(seconds=wait)
    check.problem = str(getattr(error, "message", error))[:300]
    check.save(update_fields=["look_attempts", "look_due_at", "problem"])


@transaction.atomic
def _note_missing(check_id: int) -> None:
    """Note that the provider doesn't know it: what had no answer wasn't created, any other check was removed there."""
    check = lock(ProviderCheck, check_id)
    if check.state in (ProviderCheckState.STARTING, ProviderCheckState.UNKNOWN):
        check.move_to(ProviderCheckState.FAILED)
    elif check.state in OPEN_CHECKS:
        check.move_to(ProviderCheckState.CANCELLED)
    check.look_due_at, check.problem = None, _("The provider doesn't know this check.")
    check.save(update_fields=["state", "look_due_at", "problem"])


@transaction.atomic
def _apply(check_id: int, view: CheckView, began: dt.datetime) -> ProviderCheck:
    client_id = ProviderCheck.objects.values_list("client_id", flat=True).get(pk=check_id)
    client = lock(Client, client_id, "brand", no_key=True)
    check = lock(ProviderCheck, check_id, "provider")
    check.client = client
    if check.looked_at is not None and check.looked_at >= began:
        return check  # a look-up that began later was quicker: its answer is the newer one
    if check.state in (ProviderCheckState.CANCELLED, ProviderCheckState.FAILED):
        return check
    before, state = ProviderCheckState(check.state), STATES[view.answer]
    has_new_result = state in WITH_RESULT and (before != state or check.attempt != view.attempt)
    check.applicant_id, check.attempt = view.applicant_id, view.attempt
    check.looked_at, check.look_attempts, check.problem = began, 0, ""
    check.look_due_at = _next_look(check, state)
    if before != state:
        check.move_to(state)
    if has_new_result:
        _take_result(check, view)
    elif before != state:
        check.message = ""
    check.save()
    if has_new_result:
        _note_result(check, view, before)
    if has_new_result and state != ProviderCheckState.PASSED:
        withdraw_approvals(check)
    return check


def _next_look(check: ProviderCheck, state: ProviderCheckState) -> dt.datetime | None:
    """Look again after a quarter of the check's age, between two minutes and six hours; a result is revised by webhooks only."""
    age = timezone.now() - check.started_at
    if state not in OPEN_CHECKS or age > GIVEN_UP_AFTER:
        return None
    return timezone.now() + min(LATEST, max(SOONEST, age / 4))


def _take_result(check: ProviderCheck, view: CheckView) -> None:
    answer = orjson.dumps(view.raw, option=orjson.OPT_SORT_KEYS)
    check.result_sealed = crypto.encrypt_for_client(check.client_id, answer)
    check.result_sha256 = hashlib.sha256(answer).hexdigest()
    check.labels, check.flaw, check.reviewed_at = list(view.labels), view.flaw, view.reviewed_at
    check.results = [step.as_json() for step in (*view.steps, _registration(check.client, view.person))]
    check.message = _message(check, view) if view.answer == Answer.RETRY else ""
    check.has_pictures = False


def _registration(client: Client, person: Person) -> StepResult:
    """Compare whom the provider saw with the registration of today: it may have been changed since the check began."""
    if not person.first_name and not person.last_name:
        return StepResult(REGISTRATION, Verdict.UNSURE, IssueCode.NOT_READ.value)
    names = compare_person(
        first_name=client.first_name,
        last_name=client.last_name,
        given_names=person.first_name,
        surname=person.last_name,
    )
    if names.worst in (Match.DIFFERENT, Match.MISSING):
        return StepResult(REGISTRATION, Verdict.FAIL, IssueCode.NAME_MISMATCH.value)
    if person.birth_date is not None and person.birth_date != client.date_of_birth:
        return StepResult(REGISTRATION, Verdict.FAIL, IssueCode.DOB_MISMATCH.value)
    if names.worst != Match.SAME:
        return StepResult(REGISTRATION, Verdict.UNSURE, IssueCode.NAME_NEAR.value)
    return StepResult(REGISTRATION, Verdict.PASS)


def _message(check: ProviderCheck, view: CheckView) -> str:
    """Write what the client does next, in their language: our own words for what the provider found."""
    if view.flaw == IssueCode.FACE_NOT_FOUND:
        with translation.override(check.client.language):
            return str(SELFIE_AGAIN)
    return request_text(view.flaw, check.client.language)


def _note_result(check: ProviderCheck, view: CheckView, before: ProviderCheckState) -> None:
    client = check.client
    audit.record(
        actor=None,
        action=KycAction.PROVIDER_CHECK_DECIDED,
        target=check,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"state": before.value},
        after={"state": check.state, "labels": check.labels, "told": check.message, "attempt": check.attempt},
        evidence={"result_sha256": check.result_sha256, "applicant": check.applicant_id, "results": check.results},
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.DOCUMENT,
        title=_title(check),
        body=check.message,
        dedupe_key=f"provider-result:{check.pk}:{check.state}:{check.attempt}",
        is_visible_to_client=check.state != ProviderCheckState.REFUSED,
    )
    if check.state == ProviderCheckState.RETRY:
        send_mail_to(
            client_id=client.pk,
            template="kyc.verification_again",
            context={"reason": check.message},
            dedupe_key=f"provider-retry:{check.pk}:{check.attempt}",
        )
    elif check.state == ProviderCheckState.REFUSED or before == ProviderCheckState.REFUSED:
        _call_a_person(check)
    if before == ProviderCheckState.PASSED:
        _call_a_person(check)


def _title(check: ProviderCheck) -> LocalizedText:
    provider = {"provider": check.provider.name}
    if check.state == ProviderCheckState.PASSED:
        return phrase("Verification passed at %(provider)s") % provider
    if check.state == ProviderCheckState.RETRY:
        return phrase("%(provider)s asks to repeat the verification") % provider
    return phrase("Verification refused by %(provider)s") % provider


def _call_a_person(check: ProviderCheck) -> None:
    notify(
        people_with("kyc.review_document", brand_id=check.client.brand_id),
        kind=KycNotice.PROVIDER_ATTENTION,
        title=phrase("%(client)s: the check at %(provider)s needs a decision")
        % {"client": check.client, "provider": check.provider.name},
        url=f"{check.client.get_absolute_url()}?tab=kyc",
        dedupe_key=f"provider-attention:{check.pk}:{check.state}:{check.attempt}",
    )


# ── pictures ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _keep_pictures(check: ProviderCheck, view: CheckView) -> None:
    """Fetch the pictures that aren't in our store yet. What was fetched stays when the provider fails in between."""
    known = set(check.pictures.values_list("image_id", flat=True))
    for picture in view.pictures:
        if picture.image_id not in known:
            with translation.override(check.client.language):
                _keep_picture(check, picture)
    _end_pictures(check, view)


def _keep_picture(check: ProviderCheck, picture: Picture) -> None:
    try:
        with watched(check.provider):
            content = adapter_of(check.provider).fetch(picture)
        name = f"{check.provider.code}-{picture.image_id}"
        clean = intake.clean(intake.receive(io.BytesIO(content), name=name))
    except (ServiceRefused, intake.FileRefused) as refused:
        _note_picture(check, picture, problem=refused.message)
        return
    _note_picture(check, picture, clean=clean)


@transaction.atomic
def _note_picture(
    check: ProviderCheck, picture: Picture, *, clean: intake.CleanFile | None = None, problem: str = ""
) -> None:
    client = lock(Client, check.client_id, no_key=True)
    if check.pictures.filter(image_id=picture.image_id).exists():
        return  # another worker was quicker
    document = None
    if clean is not None:
        document, problem = _document_of(client, picture, clean)
    ProviderPicture.objects.create(
        check_at_provider=check,
        image_id=picture.image_id,
        kind=picture.kind,
        side=documents.side_of(picture.kind, picture.side),
        document=document,
        problem=problem[:300],
        issued_on=picture.issued_on,
        expires_on=picture.expires_on,
    )


def _document_of(client: Client, picture: Picture, clean: intake.CleanFile) -> tuple[Document | None, str]:
    """Keep a picture as a document of the client; one that they sent us before is that document."""
    try:
        kept = documents.keep(client_id=client.pk, kind=picture.kind, side=picture.side, clean=clean, actor=None)
        return kept, ""
    except DomainError as error:
        same = Document.objects.filter(client=client, sha256=clean.sha256_as_sent, provider_picture=None).first()
        return (same, "") if same is not None else (None, error.message)


@transaction.atomic
def _end_pictures(check: ProviderCheck, view: CheckView) -> None:
    locked = lock(ProviderCheck, check.pk)
    if locked.state != check.state or locked.attempt != view.attempt:
        return
    locked.has_pictures = True
    locked.save(update_fields=["has_pictures"])
    if locked.state == ProviderCheckState.PASSED and not locked.pictures.exclude(document=None).exists():
        _call_a_person(check)  # passed, but nothing came along that could be approved
