"""What clients agree to: versioned texts per brand and language, and a row for each yes and no."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.db.locking import lock
from crm.models import Brand, User
from crm.security import audit, policies
from crm.security.policies import YES, Decision, no
from crm.security.request_context import current
from portal.audit_codes import PortalAction
from portal.choices import REQUIRED_CONSENTS, ConsentKind
from portal.consent_catalogue import STANDARD_VERSION, standard_text
from portal.models import Consent, ConsentText


def language_for(brand: Brand, language: str) -> str:
    """Choose the language in which a brand shows its texts to a reader: Keelson brings them in English and German."""
    short = language[:2]
    return (
        short
        if short in ("en", "de")
        else (brand.default_language[:2] if brand.default_language[:2] in ("en", "de") else "en")
    )


def current_texts(brand: Brand, language: str) -> dict[ConsentKind, ConsentText]:
    """Find the wording in force of each kind. Where a brand has none of its own, the standard text is published."""
    language = language_for(brand, language)
    texts: dict[ConsentKind, ConsentText] = {}
    for row in (
        ConsentText.objects.filter(brand=brand, language=language, published_at__lte=timezone.now())
        .order_by("kind", "-published_at", "-id")
        .distinct("kind")
    ):
        texts[ConsentKind(row.kind)] = row
    for kind in ConsentKind:
        if kind not in texts:
            texts[kind] = _publish_standard(brand, kind, language)
    return {kind: texts[kind] for kind in ConsentKind}


def _publish_standard(brand: Brand, kind: ConsentKind, language: str) -> ConsentText:
    label, body = standard_text(kind, language, brand)
    row, _created = ConsentText.objects.get_or_create(
        brand=brand,
        kind=kind,
        language=language,
        version=STANDARD_VERSION,
        defaults={"label": label, "body": body, "published_at": timezone.now()},
    )
    return row


def can_consent(actor: User, client: Client) -> Decision:
    """Allow clients themselves to agree to anything: nobody on the staff, and not the system, does it for them."""
    return YES if client.user_id is not None and client.user_id == actor.pk else no(_("This isn't your account."))


@transaction.atomic
def record_consents(
    *, client: Client, actor: User, given: Iterable[ConsentText], refused: Iterable[ConsentText] = ()
) -> None:
    """Record what a client ticked and left unticked, with the version they read, the time and the address.

    Who: the client, for themselves. Raises: NotAllowed.
    """
    policies.require(can_consent(actor, client))
    now, ip = timezone.now(), current().ip
    rows = [Consent(client=client, text=text, is_given=True, at=now, ip=ip) for text in given]
    rows += [Consent(client=client, text=text, is_given=False, at=now, ip=ip) for text in refused]
    Consent.objects.bulk_create(rows)
    audit.record(
        actor=actor,
        action=PortalAction.CONSENTS_RECORDED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={str(row.text): row.is_given for row in rows},
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
    text = current_texts(locked.brand, locked.language)[ConsentKind.MARKETING]
    record_consents(client=locked, actor=actor, given=[text] if wanted else [], refused=[] if wanted else [text])
    client.marketing_consent = wanted


def consents_of(client: Client) -> list[Consent]:
    """List the newest row of each kind: what counts now."""
    rows = Consent.objects.filter(client=client).select_related("text").order_by("-at", "-id")[:200]
    newest: dict[str, Consent] = {}
    for row in rows:
        newest.setdefault(row.text.kind, row)
    return [newest[kind] for kind in ConsentKind.values if kind in newest]


def missing_required(client: Client) -> list[ConsentKind]:
    """List required consents that the client has not given."""
    given = {row.text.kind for row in consents_of(client) if row.is_given}
    return [kind for kind in REQUIRED_CONSENTS if kind not in given]
