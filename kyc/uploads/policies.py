"""Who may go on with a document that is being put together."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.models import Actor
from crm.security.policies import Decision, no
from kyc.models import UploadDraft
from kyc.policies import can_upload


def can_continue(user: Actor, draft: UploadDraft) -> Decision:
    """Decide who may add to a draft, send it or hand it to a phone: whoever began it, while they may still send documents."""
    if user is None or draft.opened_by_id != user.pk:
        return no(_("This upload was started by someone else."))
    return can_upload(user, draft.client)
