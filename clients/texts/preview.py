"""How a text looks before it is published, with example values or a client's; and a test e-mail to oneself."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Final

from django.core.cache import cache
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clients import mail_format
from clients.models import Client
from clients.texts.letters import brand_values, common_values
from crm.audit_codes import CrmAction
from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Brand, OutgoingMail, User
from crm.notices.mail import Parts, queue
from crm.security import audit
from crm.security.policies import require
from crm.texts.catalogue import DeclaredText, Text, TextKind
from crm.texts.checks import Problem, problems_of, tidied
from crm.texts.publishing import BadText, can_edit, known
from crm.texts.risk_warning import PERCENT

KEPT_SECONDS: Final = 900
TESTS_PER_HOUR: Final = 10
TEST_KIND: Final = "texts.test"


@dataclass(frozen=True)
class Preview:
    """What the frame shows (by a token under which it is kept for a while), the text part, and what is wrong with the text."""

    token: str
    subject: str
    plain: str
    problems: list[Problem]


def values_for(declared: DeclaredText, brand: Brand, language: str, client: Client | None = None) -> dict[str, str]:
    """Collect values for a preview: a client's where one is chosen, the brand's own, else examples. Secrets are examples."""
    values = {**declared.examples, **brand_values(brand, language), PERCENT: str(brand.loss_percentage or 0)}
    return {**values, **common_values(client, language)} if client else values


def preview(
    declared: DeclaredText, brand: Brand, language: str, text: Text, *, user: User, client: Client | None = None
) -> Preview:
    """Write a text as its reader would see it, and keep it for this person's frame."""
    said = tidied(text.heading, text.body)
    filled = said.filled(values_for(declared, brand, language, client))
    token = secrets.token_urlsafe(12)
    cache.set(_key(user, token), page_of(declared, brand, language, filled), KEPT_SECONDS)
    return Preview(token, filled.heading, mail_format.plain_text(filled.body), problems_of(declared, said, brand))


def page_of(declared: DeclaredText, brand: Brand, language: str, filled: Text) -> str:
    """Write the page of a filled text: an e-mail's HTML, or the document with its tick box."""
    if declared.kind is TextKind.LETTER:
        return mail_format.html(brand, language, filled.heading, filled.body)
    with translation.override(language):
        context = {"brand": brand, "text": filled, "language": language, "is_accepted": declared.kind.is_accepted}
        return render_to_string("clients/texts/document.html", context)


def kept_page(user: User, token: str) -> str | None:
    """Return the page of a preview of this person; None when it has expired."""
    page: str | None = cache.get(_key(user, token))
    return page


def _key(user: User, token: str) -> str:
    return f"text-preview:{user.pk}:{token}"


@transaction.atomic
def send_test_mail(*, brand_id: int, key: str, language: str, heading: str, body: str, actor: User) -> OutgoingMail:
    """Send an e-mail's text, marked as a test, to the person's own address, with example values and no client's.

    Who: the right of the text's kind on the whole brand. Raises: NotAllowed, BadText, DomainError (no e-mail, too many tests).
    """
    declared = known(key)
    require(can_edit(actor, brand_id, declared))
    if declared.kind is not TextKind.LETTER:
        raise DomainError(_("Only e-mails can be sent as a test."))
    brand = lock(Brand, brand_id)
    said = tidied(heading, body)
    problems = problems_of(declared, said, brand)
    if problems:
        raise BadText(problems)
    filled = said.filled(values_for(declared, brand, language))
    subject = _("[Test] %(subject)s") % {"subject": filled.heading}
    parts = Parts(subject, mail_format.plain_text(filled.body), mail_format.html(brand, language, subject, filled.body))
    sent = queue(kind=TEST_KIND, to=actor.email, brand=brand, parts=parts, dedupe_key=_free_key(actor, timezone.now()))
    if sent is None:
        raise DomainError(_("A test e-mail was sent a moment ago. Try again."))
    audit.record(
        actor=actor,
        action=CrmAction.TEXT_TESTED,
        target=sent,
        brand_id=brand_id,
        after={"text": key, "language": language},
    )
    return sent


def _free_key(actor: User, now: dt.datetime) -> str:
    """Find the next of this hour's keys: each is one test e-mail. Raises: DomainError when all are used."""
    keys = [f"{TEST_KIND}:{actor.pk}:{now:%Y%m%d%H}:{number}" for number in range(TESTS_PER_HOUR)]
    used = OutgoingMail.objects.filter(dedupe_key__in=keys).count()
    if used >= TESTS_PER_HOUR:
        raise DomainError(_("You've sent %(count)s test e-mails this hour. Wait until the next one.") % {"count": used})
    return keys[used]
