"""Canned answers of a brand: written once, filled in with the client's values wherever staff answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.audit_codes import ClientsAction
from clients.chat.policies import KEEPS_ANSWERS, can_keep_answers
from clients.models import CannedAnswer, Client
from clients.texts.letters import COMMON, common_values
from crm.db.locking import lock
from crm.errors import DomainError
from crm.i18n.languages import base_of
from crm.models import Brand, User
from crm.security import audit
from crm.security.policies import require
from crm.security.scope import reach_of
from crm.texts.catalogue import Text, fill, names_in

PER_BRAND_MAX: Final = 300
SHOWN_MAX: Final = 60


@dataclass(frozen=True)
class Answer:
    """A canned answer with a client's values."""

    title: str
    text: str


def answers_for(client: Client) -> list[Answer]:
    """List the brand's answers in the client's language, else in English, with this client's values filled in."""
    rows = CannedAnswer.objects.filter(brand_id=client.brand_id, archived_at=None)
    language = base_of(client.language or client.brand.default_language)
    own = list(rows.filter(language=language).order_by("title", "pk")[:SHOWN_MAX])
    found = own or list(rows.filter(language="en").order_by("title", "pk")[:SHOWN_MAX])
    values = common_values(client, language) if found else {}
    return [Answer(row.title, fill(row.body, values)) for row in found]


def answers_visible_to(user: User) -> QuerySet[CannedAnswer]:
    """Select the answers of the brands that the person writes them for."""
    rows = CannedAnswer.objects.filter(archived_at=None, brand__in=reach_of(user).whole_brands)
    return rows if user.has_perm(KEEPS_ANSWERS) else rows.none()


@transaction.atomic
def save_canned_answer(
    *, actor: User, brand_id: int, language: str, title: str, body: str, answer_id: int | None = None
) -> CannedAnswer:
    """Write an answer, new or changed.

    Who: `clients.manage_canned_answer` on the whole brand. Raises: NotAllowed; DomainError for a variable that no answer has,
    a title in use, or too many answers.
    """
    brand = lock(Brand, brand_id)
    require(can_keep_answers(actor, brand.pk))
    unknown = names_in(Text(title, body)) - {variable.name for variable in COMMON}
    if unknown:
        raise DomainError(_("Unknown variable: %(name)s") % {"name": ", ".join(sorted(unknown))})
    rows = CannedAnswer.objects.filter(brand=brand, archived_at=None)
    if rows.filter(language=language, title=title).exclude(pk=answer_id or 0).exists():
        raise DomainError(_("There is already an answer with this title."))
    if answer_id is None and rows.count() >= PER_BRAND_MAX:
        raise DomainError(
            _("A brand has at most %(count)s canned answers. Archive one first.") % {"count": PER_BRAND_MAX}
        )
    row = lock(rows, answer_id) if answer_id is not None else CannedAnswer(brand=brand)
    before = {"title": row.title, "body": row.body} if answer_id is not None else None
    row.language, row.title, row.body = language, title, body
    row.changed_by, row.changed_at = actor, timezone.now()
    row.save()
    _audit(row, ClientsAction.CANNED_ANSWER_SAVED, actor, before, {"title": title, "body": body, "language": language})
    return row


@transaction.atomic
def archive_canned_answer(*, answer_id: int, actor: User) -> CannedAnswer:
    """Take an answer off the list. Who: as for writing. Raises: NotAllowed, NotFound."""
    row = lock(CannedAnswer.objects.filter(archived_at=None), answer_id)
    require(can_keep_answers(actor, row.brand_id))
    row.archived_at, row.changed_by, row.changed_at = timezone.now(), actor, timezone.now()
    row.save(update_fields=["archived_at", "changed_by", "changed_at"])
    _audit(row, ClientsAction.CANNED_ANSWER_ARCHIVED, actor, None, {"title": row.title})
    return row


def _audit(
    row: CannedAnswer, action: ClientsAction, actor: User, before: dict[str, str] | None, after: dict[str, str]
) -> None:
    audit.record(actor=actor, action=action, target=row, brand_id=row.brand_id, before=before, after=after)
