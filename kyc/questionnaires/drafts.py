"""Writing a questionnaire: a new one, from scratch or from the library, and its draft, which replaces nothing yet."""

from __future__ import annotations

import copy
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, NotFound, WrongState
from crm.models import Actor, Brand
from crm.security import audit
from crm.security.policies import require
from kyc.audit_codes import KycAction
from kyc.questionnaires import content, policies
from kyc.questionnaires.choices import AskedAt, QuestionnaireKind
from kyc.questionnaires.models import Questionnaire, QuestionnaireDraft, QuestionnaireVersion

LIBRARY: Final = Path(__file__).parent / "library"
PER_BRAND_MAX: Final = 50
EMPTY: Final[dict[str, Any]] = {
    "version": content.VERSION,
    "title": {},
    "intro": {},
    "settings": {"asked_at": AskedAt.REQUEST.value},
    "sections": [],
    "outcomes": [{"id": "o1", "title": {"en": "Received", "de": "Eingegangen"}}],
}


@lru_cache(maxsize=16)
def _shipped(kind: str) -> str:
    path = LIBRARY / f"{kind}.json"
    return path.read_text(encoding="utf-8") if kind in QuestionnaireKind.values and path.exists() else ""


def shipped_content(kind: str) -> dict[str, Any]:
    """Return the library's questionnaire of a kind; an empty one where it has none."""
    text = _shipped(kind)
    found: dict[str, Any] = json.loads(text) if text else copy.deepcopy(EMPTY)
    return found


@transaction.atomic
def create_questionnaire(
    *, brand_id: int, kind: str, name: str, actor: Actor, from_library: bool = True
) -> Questionnaire:
    """Create a questionnaire with a draft, filled from the library where it has one of this kind.

    Who: `kyc.manage_questionnaires` on the whole brand. Raises: NotAllowed, DomainError (no name, taken, too many).
    """
    require(policies.can_write(actor, brand_id))
    brand, name = lock(Brand, brand_id), name.strip()[:80]
    if not name:
        raise DomainError(_("Enter a name."))
    others = Questionnaire.objects.filter(brand=brand)
    if others.filter(name=name).exists():
        raise DomainError(_("There is already a questionnaire called “%(name)s”.") % {"name": name})
    if others.count() >= PER_BRAND_MAX:
        raise DomainError(_("At most %(count)s are possible.") % {"count": PER_BRAND_MAX})
    now = timezone.now()
    made = Questionnaire.objects.create(
        brand=brand, kind=QuestionnaireKind(kind), name=name, created_by=actor, created_at=now
    )
    data = shipped_content(kind) if from_library else copy.deepcopy(EMPTY)
    QuestionnaireDraft.objects.create(questionnaire=made, content=data, changed_by=actor, changed_at=now)
    audit.record(
        actor=actor,
        action=KycAction.QUESTIONNAIRE_CREATED,
        target=made,
        brand_id=brand_id,
        after={"name": name, "kind": made.kind},
    )
    return made


@transaction.atomic
def save_draft(*, questionnaire_id: int, data: dict[str, Any], revision: int, actor: Actor) -> QuestionnaireDraft:
    """Keep what somebody is writing. revision: that of the draft they changed, 0 where there was none.

    Who: `kyc.manage_questionnaires` on the whole brand. Raises: NotAllowed, DomainError (a part can't be read),
    WrongState where a colleague changed it since.
    """
    questionnaire = lock(Questionnaire, questionnaire_id)
    require(policies.can_write(actor, questionnaire.brand_id))
    content.read(data)
    draft = QuestionnaireDraft.objects.filter(questionnaire=questionnaire).first()
    if (draft.revision if draft else 0) != revision:
        raise WrongState(
            _("A colleague changed this questionnaire after you opened it. Reload the page and try again."),
            code="draft_changed",
        )
    if draft is None:
        draft = QuestionnaireDraft(questionnaire=questionnaire, revision=0)
    draft.content, draft.revision = data, draft.revision + 1
    draft.changed_by, draft.changed_at = actor, timezone.now()
    draft.save()
    audit.record(
        actor=actor,
        action=KycAction.QUESTIONNAIRE_DRAFTED,
        target=questionnaire,
        brand_id=questionnaire.brand_id,
        after={"revision": draft.revision},
    )
    return draft


@transaction.atomic
def discard_draft(*, questionnaire_id: int, actor: Actor) -> None:
    """Delete the draft; what is published stays. Who: as `save_draft`. Raises: NotAllowed, NotFound."""
    questionnaire = lock(Questionnaire, questionnaire_id)
    require(policies.can_write(actor, questionnaire.brand_id))
    draft = QuestionnaireDraft.objects.filter(questionnaire=questionnaire).first()
    if draft is None:
        raise NotFound(_("There is no draft."))
    audit.record(
        actor=actor,
        action=KycAction.QUESTIONNAIRE_DRAFT_DISCARDED,
        target=questionnaire,
        brand_id=questionnaire.brand_id,
        before={"content": draft.content},
    )
    draft.delete()


def current_version(questionnaire: Questionnaire) -> QuestionnaireVersion | None:
    """Find the newest version; None before the first."""
    return questionnaire.versions.order_by("-number").first()


def edited_content(questionnaire: Questionnaire) -> tuple[dict[str, Any], int]:
    """Return what an editor starts from and its revision: the draft, else the newest version that asked something."""
    draft = QuestionnaireDraft.objects.filter(questionnaire=questionnaire).first()
    if draft is not None:
        return draft.content, draft.revision
    version = questionnaire.versions.filter(is_retired=False).order_by("-number").first()
    return (version.content if version else shipped_content(questionnaire.kind)), 0
