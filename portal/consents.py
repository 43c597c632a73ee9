"""What clients agree to: texts per brand and language, a row for each yes and no, and asking again after a new version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.messages.suppression import resubscribe
from clients.models import Client
from clients.texts.letters import brand_values
from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Brand, User
from crm.security import audit, policies
from crm.security.policies import YES, Decision, no
from crm.security.request_context import current
from crm.texts.catalogue import Text
from crm.texts.reading import InForce, to_be_accepted, written_for
from crm.texts.wording import Wording, store, wording_of
from portal.audit_codes import PortalAction
from portal.choices import REQUIRED_CONSENTS, ConsentKind
from portal.models import Consent
from portal.texts import CONSENTS, HOME_NOTICE


def current_texts(brand: Brand, language: str) -> dict[ConsentKind, Wording]:
    """Write the wording in force of each kind, as a reader of this language sees it."""
    values = brand_values(brand, language)
    return {kind: wording_of(declared, brand, language, values) for kind, declared in CONSENTS.items()}


def notice_for(brand: Brand, language: str) -> Text | None:
    """Write the brand's notice on the portal's first page; None where it has none."""
    text = written_for(HOME_NOTICE, brand, language).text
    return text.filled(brand_values(brand, language)) if text.body else None


def can_consent(actor: User, client: Client) -> Decision:
    """Allow clients themselves to agree to anything: nobody on the staff, and not the system, does it for them."""
    return YES if client.user_id is not None and client.user_id == actor.pk else no(_("This isn't your account."))


@transaction.atomic
def record_consents(*, client: Client, actor: User, given: Iterable[Wording], refused: Iterable[Wording] = ()) -> None:
    """Record what a client ticked and left unticked, with the very words they read, the time and the address.

    Who: the client, for themselves. Raises: NotAllowed.
    """
    policies.require(can_consent(actor, client))
    now, ip = timezone.now(), current().ip
    answers = [*((wording, True) for wording in given), *((wording, False) for wording in refused)]
    rows = [
        Consent(client=client, text=store(wording), is_given=is_given, at=now, ip=ip) for wording, is_given in answers
    ]
    Consent.objects.bulk_create(rows)
    audit.record(
        actor=actor,
        action=PortalAction.CONSENTS_RECORDED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={str(row.text): {"given": row.is_given, "sha256": row.text.sha256} for row in rows},
    )


@transaction.atomic
def change_marketing(*, client: Client, actor: User, wanted: bool) -> None:
    """Turn marketing e-mails on or off for a client. Equal to what counts now: nothing happens.

    Who: the client, for themselves. Raises: NotAllowed.
    """
    locked = lock(Client, client.pk, "brand")
    policies.require(can_consent(actor, locked))
    if locked.marketing_consent == wanted:
        return
    locked.marketing_consent = wanted
    locked.save(update_fields=["marketing_consent"])
    if wanted:
        resubscribe(brand_id=locked.brand_id, address=locked.email, by=actor)
    text = current_texts(locked.brand, locked.language)[ConsentKind.MARKETING]
    record_consents(client=locked, actor=actor, given=[text] if wanted else [], refused=[] if wanted else [text])
    client.marketing_consent = wanted


def consents_of(client: Client) -> list[Consent]:
    """List the newest row of each kind: what counts now."""
    rows = Consent.objects.filter(client=client).select_related("text__version").order_by("-at", "-id")[:200]
    newest: dict[str, Consent] = {}
    for row in rows:
        newest.setdefault(row.kind, row)
    return [newest[kind] for kind in ConsentKind.values if kind in newest]


def missing_required(client: Client) -> list[ConsentKind]:
    """List required consents that the client has not given."""
    given = {row.kind for row in consents_of(client) if row.is_given}
    return [kind for kind in REQUIRED_CONSENTS if kind not in given]


# ── a new version that must be accepted again ──────────────────────────────────────────────────────────────────────


def must_accept(brand: Brand, language: str) -> dict[ConsentKind, InForce]:
    """List the versions in force that clients have to accept again. No query while the brand's texts are unchanged."""
    if not brand.texts_version:
        return {}
    asked = {kind: to_be_accepted(CONSENTS[kind], brand, language) for kind in REQUIRED_CONSENTS}
    return {kind: version for kind, version in asked.items() if version is not None}


def outstanding(client: Client, asked: dict[ConsentKind, InForce]) -> list[ConsentKind]:
    """List the kinds whose new version this client has not accepted yet. A yes counts from the version's moment on."""
    keys = {CONSENTS[kind].key: kind for kind in asked}
    accepted: dict[str, dt.datetime] = dict(
        Consent.objects.filter(client=client, is_given=True, text__key__in=keys)
        .order_by()
        .values_list("text__key")
        .annotate(last=Max("at"))
    )
    return [kind for key, kind in keys.items() if key not in accepted or accepted[key] < asked[kind].effective_at]


@transaction.atomic
def accept_again(*, client: Client, actor: User, language: str, hashes: Sequence[str]) -> None:
    """Record that a client accepted what is outstanding: the very words that they read, by their hashes.

    Who: the client, for themselves. Raises: NotAllowed; DomainError where one is missing or has changed meanwhile.
    """
    locked = lock(Client, client.pk, "brand")
    policies.require(can_consent(actor, locked))
    texts = current_texts(locked.brand, language)
    given = [texts[kind] for kind in outstanding(locked, must_accept(locked.brand, language))]
    if not given:
        return
    if any(wording.sha256 not in hashes for wording in given):
        raise DomainError(_("Accept each document. If a text has changed since you opened this page, read it again."))
    record_consents(client=locked, actor=actor, given=given)
