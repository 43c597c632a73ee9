"""Record every request to a PSP with its outcome and milliseconds; one that stops answering is marked as down for a while.

Down: the last FAILURES_IN_A_ROW calls within WINDOW brought no usable answer. It stays down for DOWN_FOR, after which it is
offered again; one more failure puts it down again, one answer (an error message too) ends the outage at once.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.db import DatabaseError, transaction
from django.utils import timezone

from crm.i18n.localized_text import phrase
from crm.notices.notify import notify, people_with
from wallet.choices.notices import WalletNotice
from wallet.choices.psp import CallOutcome
from wallet.models import Psp, PspCall
from wallet.psp import redaction

logger = logging.getLogger(__name__)

KEPT_PER_PSP = 200
# Of one movement the first calls (it was started) and the last ones (it was looked up): a payment is asked for often.
KEPT_FIRST, KEPT_LAST = 10, 30
FAILURES_IN_A_ROW = 3
WINDOW = dt.timedelta(minutes=10)
DOWN_FOR = dt.timedelta(minutes=2)
FAILURES = frozenset({CallOutcome.UNREACHABLE, CallOutcome.UNKNOWN})
# Parts of a path that name one payment rather than a kind of call.
REFERENCE = re.compile(r"/(?=[^/]*\d)(?!v\d+(?:/|$))[^/]{6,}")


_about: ContextVar[str] = ContextVar("psp_call_about", default="")
_not_after: ContextVar[dt.datetime | None] = ContextVar("psp_call_not_after", default=None)


@contextmanager
def about(reference: str, *, not_after: dt.datetime | None = None) -> Iterator[None]:
    """Record the calls made in here, with request and answer, in the history of one movement.

    not_after: from then on other workers may assume that nothing was sent, so no request may start any more.
    """
    before, earlier = _about.set(reference), _not_after.set(not_after)
    try:
        yield
    finally:
        _about.reset(before)
        _not_after.reset(earlier)


def refuse_when_late(step: str, _info: Mapping[str, Any]) -> None:
    """Refuse to send a request after its deadline, however long its process was frozen.

    The HTTP library calls it at each of its steps, the last one just before a request leaves. Raises: httpx.ConnectError, since
    nothing was sent.
    """
    deadline = _not_after.get()
    if deadline is not None and step.endswith("send_request_headers.started") and timezone.now() > deadline:
        raise httpx.ConnectError("too late to be sent: others may have looked it up meanwhile")


class Call:
    """One request while it runs."""

    status = 0
    outcome = CallOutcome.UNKNOWN
    request: Any = None
    answer: Any = None

    def note_status(self, status: int) -> None:
        """Note an HTTP answer's status; 5xx, 408 and 429 leave the outcome open."""
        self.status = status
        if status >= 500 or status in (408, 429):
            self.outcome = CallOutcome.UNKNOWN
        else:
            self.outcome = CallOutcome.REFUSED if status >= 400 else CallOutcome.ANSWERED


def operation_of(url: str) -> str:
    """Shorten an address to its path without references: `/v1/refunds/…`."""
    return REFERENCE.sub("/…", urlsplit(url).path)[:50]


@contextmanager
def recorded(psp: Psp, operation: str) -> Iterator[Call]:
    """Time a request and record how it ended, whatever it raises."""
    call, begun = Call(), time.monotonic()
    try:
        yield call
    except (httpx.ConnectError, httpx.ConnectTimeout):
        call.outcome = CallOutcome.UNREACHABLE
        raise
    finally:
        _note(psp, operation, call, milliseconds=int((time.monotonic() - begun) * 1000))


def _note(psp: Psp, operation: str, call: Call, *, milliseconds: int) -> None:
    """Store a call; a failure to store it is only logged, since it mustn't change the money's outcome."""
    if psp.pk is None:
        return
    reference = _about.get()
    try:
        texts = _redacted_texts(psp, call) if reference else {}
        with transaction.atomic():
            PspCall.objects.create(
                psp=psp,
                at=timezone.now(),
                operation=operation[:60],
                outcome=call.outcome,
                status=call.status,
                milliseconds=milliseconds,
                reference=reference[:100],
                **texts,
            )
            _delete_old(psp, reference[:100])
            _update_availability(psp)
    except DatabaseError:
        logger.exception("could not record a call to %s", psp.code)


def _redacted_texts(psp: Psp, call: Call) -> dict[str, str]:
    secrets = [str(value) for value in psp.credentials.values()]
    return {
        "request": redaction.redact(call.request, secrets=secrets),
        "answer": redaction.redact(call.answer, secrets=secrets),
    }


def _delete_old(psp: Psp, reference: str) -> None:
    """Delete all but the newest calls of a PSP, and the middle ones of a movement that was asked for often."""
    if reference:
        ids = list(PspCall.objects.filter(reference=reference).order_by("id").values_list("pk", flat=True))
        PspCall.objects.filter(pk__in=ids[KEPT_FIRST:-KEPT_LAST]).delete()
    oldest_kept = PspCall.objects.filter(psp=psp).order_by("-id").values_list("pk", flat=True)
    boundary = oldest_kept[KEPT_PER_PSP : KEPT_PER_PSP + 1]
    PspCall.objects.filter(psp=psp, reference="", pk__lte=boundary).delete()


def _update_availability(psp: Psp) -> None:
    """Mark the PSP as down or up again; the row is written only when that changes."""
    now = timezone.now()
    latest = list(
        PspCall.objects.filter(psp=psp, at__gt=now - WINDOW)
        .order_by("-id")
        .values_list("outcome", flat=True)[:FAILURES_IN_A_ROW]
    )
    fails = len(latest) == FAILURES_IN_A_ROW and FAILURES.issuperset(latest)
    if fails:
        until = now + DOWN_FOR
        began = Psp.objects.filter(pk=psp.pk, is_down_until=None).update(is_down_until=until)
        if began:
            _notify_outage(psp)
        else:
            Psp.objects.filter(pk=psp.pk).update(is_down_until=until)
        psp.is_down_until = until
    elif latest and latest[0] not in FAILURES:
        Psp.objects.filter(pk=psp.pk, is_down_until__isnull=False).update(is_down_until=None)
        psp.is_down_until = None


def _notify_outage(psp: Psp) -> None:
    notify(
        people_with("wallet.manage_psp", brand_id=psp.brand_id),
        kind=WalletNotice.PSP_DOWN,
        title=phrase("%(psp)s isn't responding") % {"psp": psp},
        body=phrase(
            "Its payment methods are hidden until it responds. Payouts wait, and nothing is sent "
            "twice. See its health page."
        ),
        url=f"/money/psps/{psp.pk}/health/",
        dedupe_key=f"psp-down:{psp.pk}:{timezone.now():%Y%m%d%H}",
    )
