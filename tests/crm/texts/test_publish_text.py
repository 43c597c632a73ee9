"""Writing and publishing: who may, four eyes, versions that never change, and nothing half done."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from crm import approvals
from crm.errors import DomainError, NotAllowed, NotFound, WrongState
from crm.models import AuditEvent, TextDraft, TextProposal, TextVersion
from crm.notices.kinds import CrmNotice
from crm.texts.catalogue import Text
from crm.texts.publishing import BadText, discard_draft, publish_text, save_draft
from crm.texts.reading import in_force
from tests.brand_policies import set_policies
from tests.texts import set_text

pytestmark = pytest.mark.django_db
LETTER, TERMS = "kyc.verified", "portal.terms"
SAID = Text("Hello", "Hello {{ first_name }}")


def publish(cast, actor=None, key=LETTER, text=SAID, language="en", **more):
    return publish_text(
        brand_id=cast.brand.pk,
        key=key,
        language=language,
        text=text,
        actor=actor or cast.marketing,
        **{"reason": "New wording", **more},
    )


def draft(cast, actor=None, body="Hello", key=LETTER):
    return save_draft(
        brand_id=cast.brand.pk, key=key, language="en", heading="Hello", body=body, actor=actor or cast.marketing
    )


def test_an_email_is_published_at_once_and_its_draft_goes(cast):
    draft(cast)
    version = publish(cast)
    assert isinstance(version, TextVersion) and version.number == 1 and version.approved_by is None
    cast.brand.refresh_from_db()
    assert in_force(cast.brand, LETTER, "en").text == SAID
    assert not TextDraft.objects.exists()
    row = AuditEvent.objects.filter(action="crm.text_published").latest("pk")
    assert (row.actor, row.brand_id) == (cast.marketing, cast.brand.pk)


@pytest.mark.parametrize("key", [TERMS, "portal.privacy", "portal.marketing", "crm.risk_warning"])
def test_legal_texts_need_a_second_person(cast, key):
    heading = "" if key == "crm.risk_warning" else "I agree."
    proposal = publish(cast, cast.mlro, key, Text(heading, "Our text"))
    assert isinstance(proposal, TextProposal) and not TextVersion.objects.exists()
    with pytest.raises(NotAllowed):
        approvals.approve(TextProposal, proposal.pk, actor=cast.mlro)
    approvals.approve(TextProposal, proposal.pk, actor=cast.administrator)
    version = TextVersion.objects.get()
    assert (version.published_by, version.approved_by, version.body) == (cast.mlro, cast.administrator, "Our text")


def test_a_brand_may_want_a_second_person_for_emails_too(cast):
    set_policies(cast.brand, letters_need_approval=True)
    proposal = publish(cast)
    assert isinstance(proposal, TextProposal)
    approvals.approve(TextProposal, proposal.pk, actor=cast.administrator)
    assert TextVersion.objects.get().approved_by == cast.administrator


def test_those_who_decide_are_notified_by_their_right(cast):
    from crm.models import Notification

    publish(cast, cast.mlro, TERMS, Text("I agree.", "Our terms"))
    told = set(Notification.objects.filter(kind=CrmNotice.TEXT_PROPOSED).values_list("user", flat=True))
    assert cast.administrator.pk in told and cast.marketing.pk not in told and cast.mlro.pk not in told


@pytest.mark.parametrize(
    ("who", "key"),
    [
        *((who, LETTER) for who in ("agent", "desk_head", "mlro", "finance", "support", "auditor")),
        *((who, TERMS) for who in ("marketing", "agent", "finance", "auditor")),
    ],
)
def test_the_wrong_role_writes_nothing(cast, who, key):
    for verb in (
        lambda: publish(cast, getattr(cast, who), key),
        lambda: draft(cast, getattr(cast, who), key=key),
        lambda: discard_draft(brand_id=cast.brand.pk, key=key, language="en", actor=getattr(cast, who)),
    ):
        with pytest.raises(NotAllowed):
            verb()
    assert not TextVersion.objects.exists() and not TextDraft.objects.exists() and not TextProposal.objects.exists()


def test_another_brand_is_out_of_reach(cast):
    with pytest.raises(NotAllowed, match="this brand"):
        publish_text(
            brand_id=cast.other_brand.pk,
            key=LETTER,
            language="en",
            text=SAID,
            actor=cast.marketing,
            reason="New wording",
        )


def test_every_problem_is_said_at_once(cast):
    with pytest.raises(BadText) as refused:
        publish(cast, text=Text("Hi\nBcc: x", "{{ frist_name }} {{ brand"))
    assert {problem.field for problem in refused.value.problems} == {"heading", "body"}
    assert len(refused.value.reasons) == 3 and not TextVersion.objects.exists()


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"reason": " "}, DomainError, "reason"),
        ({"effective_at": timezone.now() - dt.timedelta(minutes=1)}, DomainError, "future"),
        ({"effective_at": timezone.now() + dt.timedelta(days=400)}, DomainError, "a year ahead"),
        ({"must_accept": True}, DomainError, "don't accept"),
        ({"language": "xx"}, DomainError, "doesn't use this language"),
        ({"text": None}, WrongState, "already"),
        ({"key": "no.such"}, NotFound, "no such text"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(cast, more, error, words):
    with pytest.raises(error, match=words):
        publish(cast, **more)
    assert not TextVersion.objects.exists()


def test_the_same_words_twice_are_one_version(cast):
    publish(cast)
    with pytest.raises(WrongState, match="already"):
        publish(cast)
    assert TextVersion.objects.count() == 1


def test_one_proposal_per_text_and_language_waits(cast):
    publish(cast, cast.mlro, TERMS, Text("I agree.", "Ours"))
    with pytest.raises(DomainError):
        publish(cast, cast.administrator, TERMS, Text("I agree.", "Others"))
    publish(cast, cast.administrator, TERMS, Text("Ich stimme zu.", "Andere"), "de")
    assert TextProposal.objects.count() == 2


def test_an_older_version_comes_back_as_a_new_one(cast):
    publish(cast)
    publish(cast, text=Text("Second", "Second"))
    back = publish(cast, text=SAID, reason="The second was wrong")
    assert (back.number, back.body) == (3, SAID.body)
    default = publish(cast, text=None, reason="The built-in one is better")
    assert default.is_default and (default.heading, default.body) == ("", "")
    cast.brand.refresh_from_db()
    assert in_force(cast.brand, LETTER, "en").text is None


def test_an_approval_that_comes_late_takes_effect_then(cast):
    proposal = publish(
        cast, cast.mlro, TERMS, Text("I agree.", "Ours"), effective_at=timezone.now() + dt.timedelta(hours=1)
    )
    TextProposal.objects.filter(pk=proposal.pk).update(effective_at=timezone.now() - dt.timedelta(hours=1))
    approvals.approve(TextProposal, proposal.pk, actor=cast.administrator)
    version = TextVersion.objects.get()
    assert version.effective_at >= version.published_at


def test_a_text_that_no_longer_fits_is_not_approved(cast):
    """The brand lost its figure while the proposal waited."""
    cast.brand.loss_percentage = 71
    cast.brand.save()
    proposal = publish(cast, cast.mlro, "crm.risk_warning", Text("", "{{ percent }}% lose money"))
    cast.brand.loss_percentage = None
    cast.brand.save()
    with pytest.raises(BadText):
        approvals.approve(TextProposal, proposal.pk, actor=cast.administrator)
    assert not TextVersion.objects.exists()


def test_a_draft_may_be_unfinished_but_not_unstorable(cast):
    draft(cast, body="Hello {{ nobody_kno")
    colleague = draft(cast, cast.administrator, body="Hello {{ brand }}")
    assert TextDraft.objects.get().body == "Hello {{ brand }}" and colleague.changed_by == cast.administrator
    for body in ("a\x00b", "x" * 20_001):
        with pytest.raises(BadText):
            draft(cast, body=body)
    discard_draft(brand_id=cast.brand.pk, key=LETTER, language="en", actor=cast.marketing)
    assert not TextDraft.objects.exists()
    with pytest.raises(NotFound):
        discard_draft(brand_id=cast.brand.pk, key=LETTER, language="en", actor=cast.marketing)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reason": ""}, "text_version_has_a_reason"),
        ({"heading": "Hi\nBcc: x"}, "text_heading_is_one_line"),
        ({"is_default": True}, "default_text_version_says_nothing_itself"),
        ({"effective_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, "text_version_is_in_force_after"),
        ({"number": 1}, "text_versions_count_up_per_language"),
        ({"self_approved": True}, "text_version_is_approved_by_somebody_else"),
    ],
)
def test_the_database_holds_the_rules_of_a_version(cast, change, words):
    version = set_text(cast.brand, LETTER, "Hello", "Hello")
    if change.pop("self_approved", False):
        change |= {"published_by": cast.marketing, "approved_by": cast.marketing}
    version.pk, version.number = None, change.pop("number", 2)
    for name, value in change.items():
        setattr(version, name, value)
    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        version.save(force_insert=True)


def test_a_version_is_never_changed_or_deleted(cast):
    version = set_text(cast.brand, LETTER, "Hello", "Hello")
    for change in (lambda: TextVersion.objects.filter(pk=version.pk).update(body="Other"), version.delete):
        with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
            change()
