"""What Sumsub's answers mean in our words.

`GET /resources/applicants/{id}/one` has the applicant with `info` (as read from the documents) and `review`: `reviewStatus` is
init, pending, prechecked, queued, completed, onHold or one of the awaiting ones; `reviewResult.reviewAnswer` counts only when it
is completed: GREEN or RED, and RED has `rejectLabels`, `reviewRejectType` (RETRY: the applicant may repeat it; FINAL),
`moderationComment` (may be shown to the applicant) and `clientComment` (never). The same label may stand for either type.
`GET …/requiredIdDocsStatus` has the result per step, `GET …/metadata/resources` every picture with `idDocDef`.
Sources: https://docs.sumsub.com/reference/get-applicant-review-status, https://docs.sumsub.com/docs/rejection-labels,
https://docs.sumsub.com/docs/receive-and-interpret-results-via-api,
https://docs.sumsub.com/reference/get-information-about-document-images
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from crm.connections.protocol import Notice
from kyc.choices import DocumentKind, IssueCode, Side, Verdict
from kyc.providers.protocol import Answer, CheckView, Person, Picture, StepResult

KINDS: Final[Mapping[str, DocumentKind]] = {
    "PASSPORT": DocumentKind.PASSPORT,
    "ID_CARD": DocumentKind.ID_CARD,
    "RESIDENCE_PERMIT": DocumentKind.RESIDENCE_PERMIT,
    "DRIVERS": DocumentKind.DRIVING_LICENCE,
    "UTILITY_BILL": DocumentKind.PROOF_OF_ADDRESS,
    "SELFIE": DocumentKind.SELFIE,
}
STATES: Final[Mapping[str, Answer]] = {
    "init": Answer.OPEN,
    "awaitingUser": Answer.OPEN,
    "pending": Answer.IN_REVIEW,
    "prechecked": Answer.IN_REVIEW,
    "queued": Answer.IN_REVIEW,
    "awaitingService": Answer.IN_REVIEW,
    "onHold": Answer.ON_HOLD,
}
LABELS: Final[Mapping[str, IssueCode]] = {
    "UNSATISFACTORY_PHOTOS": IssueCode.BLUR,
    "LOW_QUALITY": IssueCode.BLUR,
    "DOCUMENT_DAMAGED": IssueCode.BLUR,
    "INCOMPLETE_DOCUMENT": IssueCode.CROPPED,
    "DOCUMENT_PAGE_MISSING": IssueCode.CROPPED,
    "FRONT_SIDE_MISSING": IssueCode.CROPPED,
    "BACK_SIDE_MISSING": IssueCode.CROPPED,
    "SCREENSHOTS": IssueCode.SCREENSHOT,
    "DIGITAL_DOCUMENT": IssueCode.SCREENSHOT,
    "GRAPHIC_EDITOR": IssueCode.SCREENSHOT,
    "BLACK_AND_WHITE": IssueCode.NO_COLOUR,
    "FORGERY": IssueCode.EDITED,
    "EXPIRATION_DATE": IssueCode.EXPIRED,
    "ID_INVALID": IssueCode.EXPIRED,
    "NOT_DOCUMENT": IssueCode.UNSUPPORTED_TYPE,
    "BAD_PROOF_OF_IDENTITY": IssueCode.UNSUPPORTED_TYPE,
    "BAD_PROOF_OF_ADDRESS": IssueCode.POA_ADDRESS,
    "WRONG_ADDRESS": IssueCode.POA_ADDRESS,
    "PROBLEMATIC_APPLICANT_DATA": IssueCode.NAME_MISMATCH,
    "BAD_FACE_MATCHING": IssueCode.FACE_NOT_FOUND,
    "SELFIE_MISMATCH": IssueCode.FACE_NOT_FOUND,
    "BAD_SELFIE": IssueCode.FACE_NOT_FOUND,
    "BAD_VIDEO_SELFIE": IssueCode.FACE_NOT_FOUND,
    "AGE_REQUIREMENT_MISMATCH": IssueCode.UNDERAGE,
    "DUPLICATE": IssueCode.DOC_NO_DUPLICATE,
}
# What explains the others is named: "unsatisfactory photos" comes along with many labels.
GENERAL: Final = frozenset({"UNSATISFACTORY_PHOTOS", "LOW_QUALITY", "BAD_PROOF_OF_IDENTITY"})
LABELS_MAX: Final = 20
PICTURES_MAX: Final = 30
ID_LENGTH_MAX: Final = 80


def read_check(
    applicant: Mapping[str, Any], steps: Mapping[str, Any] | None, pictures: Mapping[str, Any] | None
) -> CheckView:
    """Read a check from Sumsub's answers; steps and pictures are asked for once it is completed."""
    review = applicant.get("review") or {}
    result = review.get("reviewResult") or {}
    labels = _labels(result)
    return CheckView(
        applicant_id=_id(applicant["id"]),
        external_id=_id(applicant.get("externalUserId") or ""),
        answer=_answer(review, result),
        attempt=max(0, min(int(review.get("attemptCnt") or 0), 32_000)),
        labels=labels,
        flaw=code_of(labels) if labels else "",
        comment_for_client=str(result.get("moderationComment") or "")[:2000],
        comment_for_staff=str(result.get("clientComment") or "")[:2000],
        reviewed_at=_moment(review.get("reviewDate")),
        person=_person(applicant.get("info") or {}),
        steps=tuple(_steps(steps or {})),
        pictures=tuple(_pictures(applicant, (pictures or {}).get("items") or ())),
        raw={"applicant": applicant, "steps": steps, "pictures": pictures},
    )


def read_notice(body: Mapping[str, Any]) -> Notice:
    """Read what a webhook points at. Source: https://docs.sumsub.com/docs/user-verification-webhooks"""
    return Notice(
        str(body["type"])[:60],
        _id(body["applicantId"]),
        _id(body.get("externalUserId") or ""),
        _id(body.get("correlationId") or ""),
    )


def code_of(labels: Sequence[str]) -> str:
    """Name a rejection in our words: its most telling label."""
    telling = [label for label in labels if label in LABELS and label not in GENERAL]
    known = telling or [label for label in labels if label in LABELS]
    return LABELS[known[0]].value if known else IssueCode.NOT_READ.value


def _answer(review: Mapping[str, Any], result: Mapping[str, Any]) -> Answer:
    status = str(review.get("reviewStatus") or "init")
    if status != "completed":
        return STATES[status]
    if result["reviewAnswer"] == "GREEN":
        return Answer.PASSED
    if result["reviewAnswer"] != "RED":
        raise ValueError("an answer that is neither GREEN nor RED")
    # Only what says that it may be repeated is sent back to the client: anything else is for a person.
    return Answer.RETRY if result.get("reviewRejectType") == "RETRY" else Answer.REFUSED


def _labels(result: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(label)[:60] for label in (result.get("rejectLabels") or ())[:LABELS_MAX])


def _steps(steps: Mapping[str, Any]) -> Iterator[StepResult]:
    for name, step in list(steps.items())[:LABELS_MAX]:
        result = (step or {}).get("reviewResult") or {}
        labels = _labels(result)
        if result.get("reviewAnswer") == "GREEN":
            yield StepResult(str(name)[:40], Verdict.PASS)
        elif result.get("reviewAnswer") == "RED":
            yield StepResult(str(name)[:40], Verdict.FAIL, code_of(labels), labels)
        else:
            yield StepResult(str(name)[:40], Verdict.UNSURE)


def _person(info: Mapping[str, Any]) -> Person:
    return Person(str(info.get("firstName") or "")[:150], str(info.get("lastName") or "")[:150], _day(info.get("dob")))


def _pictures(applicant: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> Iterator[Picture]:
    """Choose the pictures that are in use and of a kind that we keep; videos and previews are left out."""
    read = {str(doc.get("idDocType")): doc for doc in (applicant.get("info") or {}).get("idDocs") or ()}
    kept = 0
    for item in items:
        definition = item.get("idDocDef") or {}
        kind = KINDS.get(str(definition.get("idDocType")))
        file_type = str((item.get("fileMetadata") or {}).get("fileType") or "").lower()
        if kind is None or item.get("deactivated") or file_type in ("mp4", "webm", "mov"):
            continue
        kept += 1
        if kept > PICTURES_MAX:
            return
        document = read.get(str(definition.get("idDocType"))) or {}
        side = Side.BACK if definition.get("idDocSubType") == "BACK_SIDE" else Side.FRONT
        yield Picture(
            _id(item["id"]),
            kind.value,
            side.value,
            inspection_id=_id(applicant.get("inspectionId") or ""),
            issued_on=_day(document.get("issuedDate")),
            expires_on=_day(document.get("validUntil")),
        )


def _id(value: Any) -> str:
    """Take an id of the provider's, which becomes part of a path: letters, digits, dash and underscore only."""
    text = str(value)
    if len(text) > ID_LENGTH_MAX or not all(
        letter.isascii() and (letter.isalnum() or letter in "-_") for letter in text
    ):
        raise ValueError("an id of another form")
    return text


def _day(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None


def _moment(value: Any) -> dt.datetime | None:
    """Read `2024-07-09 10:24:26+0000`; the older form without a zone is UTC."""
    text = str(value or "")[:32]
    for shape in ("%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M:%S"):
        try:
            moment = dt.datetime.strptime(text, shape)  # noqa: DTZ007 — the zone is added below
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return None
