"""Writing and publishing a brand's own texts: drafts, versions from a moment on, and four eyes where the law is concerned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.approvals.deciding import require_text
from crm.audit_codes import CrmAction
from crm.brand_policies import Policy, PolicyArea, Switch, declare
from crm.db.locking import lock
from crm.errors import DomainError, NotFound, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, Brand, TextDraft, TextProposal, TextVersion, User
from crm.notices.kinds import CrmNotice
from crm.security import audit
from crm.security.policies import Decision, no, on_whole_brand, require
from crm.texts.catalogue import TEXTS, DeclaredText, Text, find_text
from crm.texts.checks import Problem, problems_of, tidied
from crm.texts.reading import in_force, new_mark

LETTERS_NEED_APPROVAL: Final = declare(
    Policy(
        "letters_need_approval",
        PolicyArea.PROMISES,
        gettext_lazy("Second approval for e-mail texts and notices"),
        Switch(),
        False,
        gettext_lazy("Consents, agreements and risk warnings always need one."),
        needs_four_eyes=False,
    )
)
OPENS: Final = "crm.edit_texts"  # and the right of the text's kind
AHEAD_MAX: Final = dt.timedelta(days=366)
SHOWN_MAX: Final = 600


class BadText(DomainError):
    """A text that can't be used, with each problem at its field."""

    code = "bad_text"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems[0].message)
        self.problems = list(problems)
        self.reasons = [problem.message for problem in problems]


def known(key: str) -> DeclaredText:
    """Look a text up. Raises: NotFound."""
    declared = find_text(key)
    if declared is None:
        raise NotFound(_("There is no such text."))
    return declared


def can_edit(actor: Actor, brand_id: int, declared: DeclaredText) -> Decision:
    """Write, publish or propose: the right of the text's kind, on the whole brand."""
    return on_whole_brand(actor, declared.kind.right, brand_id)


def needs_approval(brand: Brand, declared: DeclaredText) -> bool:
    """Check whether another person has to approve a version: always of a legal text, of others where the brand wants it."""
    return declared.kind.is_legal or LETTERS_NEED_APPROVAL.of(brand)


def revision_of(draft: TextDraft | None) -> str:
    """Identify what a draft says now; empty without one. A form sends back the one it was opened with."""
    return draft.changed_at.isoformat() if draft else ""


def _require_unchanged(brand: Brand, key: str, language: str, based_on: str | None) -> None:
    """Refuse to write over what a colleague saved, published or discarded since. `based_on`: None to write anyway.

    Raises: WrongState `draft_changed`.
    """
    draft = TextDraft.objects.filter(brand=brand, key=key, language=language).select_related("changed_by").first()
    if based_on is None or based_on == revision_of(draft):
        return
    if draft is None:
        text = _(
            "The draft that you opened was published or discarded meanwhile. Check what is in force, then try again."
        )
    else:
        text = _("%(who)s changed this draft after you opened it. Compare both texts, then try again.") % {
            "who": draft.changed_by
        }
    raise WrongState(text, code="draft_changed")


@transaction.atomic
def save_draft(
    *, brand_id: int, key: str, language: str, heading: str, body: str, actor: User, based_on: str | None = None
) -> TextDraft:
    """Keep what somebody is writing, so that a colleague can go on; what is wrong with it is shown and refuses only publishing.

    based_on: the revision of the draft that was opened. Who: the right of the text's kind on the whole brand.
    Raises: NotAllowed, WrongState where the draft changed since, DomainError for what can't be stored.
    """
    declared = known(key)
    require(can_edit(actor, brand_id, declared))
    brand = lock(Brand, brand_id)
    text = tidied(heading, body)
    _check_language(brand, declared, language)
    _require_unchanged(brand, key, language, based_on)
    if (
        "\x00" in heading + body
        or len(text.heading) > declared.kind.heading_max
        or len(text.body) > declared.kind.body_max
    ):
        raise BadText(problems_of(declared, text, brand))
    draft, _created = TextDraft.objects.update_or_create(
        brand=brand,
        key=key,
        language=language,
        defaults={"heading": text.heading, "body": text.body, "changed_by": actor, "changed_at": timezone.now()},
    )
    audit.record(
        actor=actor, action=CrmAction.TEXT_DRAFTED, target=draft, brand_id=brand_id, after=_named(declared, language)
    )
    return draft


@transaction.atomic
def discard_draft(*, brand_id: int, key: str, language: str, actor: User, based_on: str | None = None) -> None:
    """Delete a draft. Who: the right of the text's kind on the whole brand.

    Raises: NotAllowed, NotFound, WrongState where it changed since.
    """
    declared = known(key)
    require(can_edit(actor, brand_id, declared))
    brand = lock(Brand, brand_id)
    _require_unchanged(brand, key, language, based_on)
    draft = TextDraft.objects.filter(brand=brand, key=key, language=language).first()
    if draft is None:
        raise NotFound(_("There is no draft."))
    audit.record(
        actor=actor,
        action=CrmAction.TEXT_DRAFT_DISCARDED,
        target=draft,
        brand_id=brand_id,
        before={**_named(declared, language), "heading": draft.heading, "body": draft.body},
    )
    draft.delete()


@transaction.atomic
def publish_text(  # noqa: PLR0913  one keyword per part of a version
    *,
    brand_id: int,
    key: str,
    language: str,
    text: Text | None,
    actor: User,
    reason: str,
    effective_at: dt.datetime | None = None,
    must_accept: bool = False,
    based_on: str | None = None,
) -> TextVersion | TextProposal:
    """Publish a version of a text from a moment on, or propose it where another person has to approve it.

    text: None to go back to the built-in one. effective_at: None for now. must_accept: clients who agreed to an earlier
    version are asked again at their next visit.

    Who: the right of the text's kind on the whole brand. Raises: NotAllowed, BadText, DomainError (a past moment, no reason),
    WrongState (it says this already, a proposal waits, or a colleague changed the draft since it was opened).
    """
    declared = known(key)
    require(can_edit(actor, brand_id, declared))
    brand = lock(Brand, brand_id)
    _check_language(brand, declared, language)
    _require_unchanged(brand, key, language, based_on)
    require_text(reason)
    said = _checked(declared, text, brand)
    _check_moment(effective_at)
    if must_accept and not declared.kind.is_accepted:
        raise DomainError(_("Clients don't accept this text."))
    proposal = TextProposal(
        brand=brand,
        key=key,
        language=language,
        heading=said.heading if said else "",
        body=said.body if said else "",
        is_default=said is None,
        must_accept=must_accept,
        effective_at=effective_at,
        reason=reason,
    )
    if _says_nothing_new(proposal):
        raise WrongState(_("This is the text already."))
    if needs_approval(brand, declared):
        made: TextVersion | TextProposal = approvals.propose(proposal, actor=actor)
    else:
        made = write_version(brand, proposal, actor=actor, approved_by=None)
    TextDraft.objects.filter(brand=brand, key=key, language=language).delete()
    return made


def _check_language(brand: Brand, declared: DeclaredText, language: str) -> None:
    if language not in languages_of(brand, declared):
        raise DomainError(_("The brand doesn't use this language. Add it in the brand's details first."))


def languages_of(brand: Brand, declared: DeclaredText) -> list[str]:
    """List the languages that a brand can write a text in: its own, and those of the built-in text."""
    own = [code.partition("-")[0] for code in (brand.default_language, *brand.languages)]
    return list(dict.fromkeys([*own, *declared.texts]))


def _checked(declared: DeclaredText, text: Text | None, brand: Brand) -> Text | None:
    if text is None:
        return None
    said = tidied(text.heading, text.body)
    problems = problems_of(declared, said, brand)
    if problems:
        raise BadText(problems)
    return said


def _check_moment(effective_at: dt.datetime | None) -> None:
    now = timezone.now()
    if effective_at is not None and not now < effective_at <= now + AHEAD_MAX:
        raise DomainError(
            _("Enter a time in the future, at most a year ahead, or leave it empty to publish now."), code="moment"
        )


def _says_nothing_new(proposal: TextProposal) -> bool:
    if proposal.effective_at is not None or proposal.must_accept:
        return False
    now = in_force(proposal.brand, proposal.key, proposal.language)
    text = None if proposal.is_default else Text(proposal.heading, proposal.body)
    return (now.text if now else None) == text


def write_version(brand: Brand, source: TextProposal, *, actor: Actor, approved_by: User | None) -> TextVersion:
    """Write a checked version, in force now or at its moment; the caller holds the brand's lock."""
    now = timezone.now()
    rows = TextVersion.objects.filter(brand=brand, key=source.key, language=source.language)
    last = rows.aggregate(last=Max("number"))["last"] or 0
    row = TextVersion.objects.create(
        brand=brand,
        key=source.key,
        language=source.language,
        number=last + 1,
        heading=source.heading,
        body=source.body,
        is_default=source.is_default,
        must_accept=source.must_accept,
        effective_at=max(source.effective_at or now, now),
        published_by=actor,
        published_at=now,
        approved_by=approved_by,
        reason=source.reason,
    )
    brand.texts_version = new_mark()
    brand.save(update_fields=["texts_version"])
    audit.record(
        actor=actor,
        action=CrmAction.TEXT_PUBLISHED,
        target=row,
        brand_id=brand.pk,
        after={**_content(row), "version": row.number, "effective_at": row.effective_at.isoformat()},
        reason=source.reason,
    )
    return row


def _named(declared: DeclaredText, language: str) -> dict[str, Any]:
    return {"text": declared.key, "language": language}


def _content(row: TextProposal | TextVersion) -> dict[str, Any]:
    words = {"is_default": True} if row.is_default else {"heading": row.heading, "body": row.body}
    return {"text": row.key, "language": row.language, **words, "must_accept": row.must_accept}


def _shortened(words: str) -> str:
    """Write the beginning of a long text; the proposal's page has the whole and the differences."""
    return words if len(words) <= SHOWN_MAX else f"{words[:SHOWN_MAX]}…"


class TextApproval(approvals.ApprovalKind[TextProposal]):
    """A version of a text. Who decides holds the same right as who proposes, on the whole brand."""

    model = TextProposal
    code = "text"
    label = gettext_lazy("Text")
    asks = decides = OPENS
    proposed, approved = CrmAction.TEXT_PROPOSED, CrmAction.TEXT_APPROVED
    rejected, withdrawn = CrmAction.TEXT_REJECTED, CrmAction.TEXT_WITHDRAWN
    notice = CrmNotice.TEXT_PROPOSED
    brand_path = "brand_id"
    related = ("brand",)
    one_open = ("brand", "key", "language")
    done = gettext_lazy("Text published.")

    def in_reach(self, rows: QuerySet[TextProposal], user: User) -> QuerySet[TextProposal]:
        keys = [key for key, declared in TEXTS.items() if user.has_perm(declared.kind.right)]
        return super().in_reach(rows, user).filter(key__in=keys)

    def can_propose(self, user: User, item: TextProposal) -> Decision:
        return can_edit(user, item.brand_id, known(item.key))

    def may_decide(self, user: User, item: TextProposal) -> Decision:
        return can_edit(user, item.brand_id, known(item.key))

    def can_withdraw(self, user: User, item: TextProposal) -> Decision:
        if user.pk != item.requested_by_id:
            return no(_("Only the person who proposed this can withdraw it."))
        allowed = can_edit(user, item.brand_id, known(item.key))
        return self.still_waits(item) if allowed else allowed

    def decided_by_right(self, item: TextProposal) -> str:
        return known(item.key).kind.right

    def apply(self, item: TextProposal, actor: User, **given: Any) -> None:
        """Publish it: at its moment, or now where that has passed. Raises: BadText where it no longer fits the brand."""
        brand = lock(Brand, item.brand_id)
        _checked(known(item.key), None if item.is_default else Text(item.heading, item.body), brand)
        write_version(brand, item, actor=item.requested_by, approved_by=actor)

    def title(self, item: TextProposal) -> LocalizedText:
        declared = find_text(item.key)
        return phrase("Text “%(text)s” of %(brand)s (%(language)s)") % {
            "text": str(declared.title) if declared else item.key,
            "brand": item.brand.name,
            "language": item.language,
        }

    def url(self, item: TextProposal) -> str:
        return f"/texts/{item.brand_id}/{item.key}/proposals/{item.pk}/?language={item.language}"

    def changes(self, item: TextProposal) -> Sequence[Change]:
        declared = known(item.key)
        now = in_force(item.brand, item.key, item.language)
        before = (now.text if now else None) or declared.texts.get(item.language)
        after = declared.texts.get(item.language) if item.is_default else Text(item.heading, item.body)
        changes = [
            Change(label, _shortened(new), None if old is None else _shortened(old))
            for label, new, old in (
                (declared.kind.heading_label, after.heading if after else "", before.heading if before else None),
                (_("Text"), after.body if after else "–", before.body if before else None),
            )
            if new != old and label
        ]
        moment = formats.moment(item.effective_at) if item.effective_at else _("As soon as it is approved")
        changes.append(Change(_("Effective from"), moment))
        if item.must_accept:
            changes.append(Change(_("Clients must accept it again"), _("Yes")))
        return changes

    def after(self, item: TextProposal) -> dict[str, Any]:
        return _content(item)
