"""A trader agrees to be shown on the leaderboard by name or nickname, or withdraws that: from the next request on."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor, User
from crm.security import audit, crypto, policies
from crm.security.policies import YES, Decision, no
from prop.audit_codes import PropAction
from prop.choices import ShownAs
from prop.models import LeaderboardConsent

NICKNAME: Final = re.compile(r"\w[\w .-]{1,22}\w")
MARK_PURPOSE: Final = "leaderboard-nickname"


def can_consent(user: Actor, client: Client) -> Decision:
    """Allow the client in person."""
    if user is None or client.user_id != user.pk:
        return no(_("Only the client decides who reads their name."))
    return YES


@transaction.atomic
def set_consent(*, client_id: int, shown_as: str, nickname: str = "", actor: User) -> LeaderboardConsent | None:
    """Show a trader on the leaderboard by name or nickname; an empty shown_as withdraws the consent. A repeat changes nothing.

    Who: the client. Raises: NotAllowed, DomainError for a nickname that can't be used or is taken.
    """
    client = lock(Client, client_id)
    policies.require(can_consent(actor, client))
    known = LeaderboardConsent.objects.filter(client=client).first()
    before = known.shown_as if known else ""
    made = _write(client, known, ShownAs(shown_as), nickname.strip()) if shown_as else None
    if not shown_as and known is not None:
        known.delete()
    if made is not None or before:
        audit.record(
            actor=actor,
            action=PropAction.LEADERBOARD_CONSENT,
            target=client,
            client_id=client.pk,
            brand_id=client.brand_id,
            before={"shown_as": before},
            after={"shown_as": shown_as},
        )
    return made


def _write(client: Client, known: LeaderboardConsent | None, shown_as: ShownAs, nickname: str) -> LeaderboardConsent:
    row = known or LeaderboardConsent(client=client)
    row.shown_as, row.agreed_at = shown_as, timezone.now()
    row.nickname_sealed = row.nickname_mark = None
    if shown_as == ShownAs.NICKNAME:
        if not NICKNAME.fullmatch(nickname):
            raise DomainError(_("Enter a nickname of 3 to 24 characters, without special characters."))
        row.nickname_sealed = crypto.encrypt_for_client(client.pk, nickname.encode())
        row.nickname_mark = mark_of(client.brand_id, nickname)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise DomainError(_("This nickname is taken. Choose another one.")) from None
    return row


def mark_of(brand_id: int, nickname: str) -> str:
    """Hash a nickname so that it is used once in a brand, whatever its case and spacing."""
    text = f"{brand_id}:{' '.join(nickname.casefold().split())}"
    return hmac.new(crypto.lasting_key(MARK_PURPOSE), text.encode(), hashlib.sha256).hexdigest()
