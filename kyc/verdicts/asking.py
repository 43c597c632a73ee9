"""What a client is asked for when a better picture or another document puts it right: one flaw, named, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kyc.choices import REASON_FOR_ISSUE, REJECT_TEMPLATES, IssueCode, RejectReason

# Which of several flaws is named: the one that explains the others.
NAMED_FIRST: Final = (
    IssueCode.EXPIRED,
    IssueCode.UNSUPPORTED_TYPE,
    IssueCode.POA_TOO_OLD,
    IssueCode.SCREENSHOT,
    IssueCode.SCREEN_PHOTO,
    IssueCode.NO_COLOUR,
    IssueCode.CROPPED,
    IssueCode.GLARE,
    IssueCode.BLUR,
    IssueCode.TOO_SMALL,
    IssueCode.LOW_RESOLUTION,
    IssueCode.NO_MRZ,
    IssueCode.FACE_NOT_FOUND,
    IssueCode.POA_NO_DATE,
    IssueCode.NOT_READ,
)
ASKED_FOR: Final[Mapping[str, Promise]] = {
    IssueCode.GLARE: _(
        "Light is reflected on the document, so part of it can't be read. Please take a new picture without flash, tilted "
        "away from lamps and windows."
    ),
    IssueCode.BLUR: _("The picture is blurred. Please take a new one in daylight and hold the camera still."),
    IssueCode.TOO_SMALL: _(
        "The picture is too small to read. Please send the original picture, or take a new one with the document filling the frame."
    ),
    IssueCode.LOW_RESOLUTION: _(
        "The picture is too small to read the name. Please take a new one with the document filling the frame."
    ),
    IssueCode.NO_MRZ: _(
        "We couldn't read the lines at the bottom of the document, with the many < signs. Please take a new picture that "
        "shows the whole page, sharp and without reflections."
    ),
    IssueCode.FACE_NOT_FOUND: _(
        "We couldn't see the photo on the document. Please take a new picture that shows the whole page without reflections."
    ),
    IssueCode.POA_NO_DATE: _(
        "We found no date on the document. Please send a bill or bank statement that shows when it was issued."
    ),
}


def flaw_to_name(codes: Iterable[str]) -> str:
    """Choose the flaw that the message to the client names."""
    found = set(map(str, codes))
    return next((code.value for code in NAMED_FIRST if code in found), IssueCode.NOT_READ.value)


def reason_for(code: str) -> RejectReason:
    """Return the reason under which a rejection for this flaw is filed."""
    return REASON_FOR_ISSUE.get(code, RejectReason.UNREADABLE)


def request_text(code: str, language: str) -> str:
    """Write what was wrong and what to do, in the client's language."""
    with translation.override(language):
        return str(ASKED_FOR.get(code) or REJECT_TEMPLATES[reason_for(code)])
