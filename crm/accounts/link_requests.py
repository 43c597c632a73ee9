"""Links that somebody asks for by typing an e-mail address: the page only notes the request.

Whether such a login exists is found out by a worker, so that the page takes as long, and says the same, for every address.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from crm.accounts import passwords
from crm.choices import LinkKind, UserKind
from crm.models import LinkRequest, User
from crm.queue.enqueue import enqueue_soon_on_commit

logger = logging.getLogger(__name__)
AT_ONCE_MAX = 200
KEPT = dt.timedelta(hours=2)
USERNAME_MAX = 150
# What sends a link of a kind to the owner of a user name, where there is one.
Answer = Callable[[str], None]
ANSWERS: dict[LinkKind, Answer] = {}


def answers(kind: LinkKind) -> Callable[[Answer], Answer]:
    """Register what answers requests of a kind."""

    def register(answer: Answer) -> Answer:
        ANSWERS[kind] = answer
        return answer

    return register


def ask_for_link(*, kind: LinkKind, username: str) -> None:
    """Note that somebody asked for a link to this login's mailbox."""
    with transaction.atomic():
        LinkRequest.objects.create(kind=kind, username=username if len(username) <= USERNAME_MAX else "")
        enqueue_soon_on_commit("crm.answer_link_requests")


def answer_due() -> int:
    """Answer what was asked; returns how many. One that fails is tried again until it is two hours old."""
    LinkRequest.objects.filter(requested_at__lt=timezone.now() - KEPT).delete()
    done = 0
    for pk in LinkRequest.objects.order_by("pk").values_list("pk", flat=True)[:AT_ONCE_MAX]:
        try:
            with transaction.atomic():
                row = LinkRequest.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
                if row is None:
                    continue
                ANSWERS[LinkKind(row.kind)](row.username)
                row.delete()
                done += 1
        except Exception:
            logger.exception("link request %s could not be answered", pk)
    return done


@answers(LinkKind.PASSWORD_RESET)
def answer_forgotten_password(username: str) -> None:
    """Return where to choose a new password: staff at the company's address, clients and partners at their brand's."""
    user = User.objects.select_related("brand").filter(username=username, is_active=True).first()
    if user is None or user.is_service:
        return
    if user.kind == UserKind.STAFF:
        if user.has_usable_password():
            passwords.send_reset_link(user=user, url_name="account_choose_password")
    elif user.brand is not None:
        passwords.send_reset_link(user=user, url_name="portal_choose_password", url_kwargs={"brand": user.brand.code})
