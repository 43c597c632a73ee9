"""The builder: list, one questionnaire with its draft, the forms of its parts, preview, versions."""

from __future__ import annotations

from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.vocabulary import CLIENT
from crm.approvals.queries import proposal_of
from crm.choices import ApprovalState
from crm.errors import NotFound, outcome_of
from crm.i18n.languages import language_name
from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from crm.ui.conditions import sentence_of
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from kyc.questionnaires import drafts, editing, policies, publishing
from kyc.questionnaires.choices import QuestionType
from kyc.questionnaires.content import Content, read
from kyc.questionnaires.filling import StepForm, walk
from kyc.questionnaires.forms import NewForm, OutcomeForm, QuestionForm, SectionForm, SettingsForm
from kyc.questionnaires.models import Questionnaire
from kyc.questionnaires.scoring import result_of
from kyc.questionnaires.tables import questionnaires_visible_to
from kyc.questionnaires.vocabulary import of_questions

WRITES: Final = policies.WRITES
VERSIONS_SHOWN: Final = 50
PREVIEW: Final = "questionnaire-preview"


def found(request: UserRequest, questionnaire_id: int) -> Questionnaire:
    """Find a questionnaire of a brand in reach, or 404."""
    rows = questionnaires_visible_to(request.user).select_related("brand", "draft__changed_by")
    questionnaire = rows.filter(pk=questionnaire_id).first()
    if questionnaire is None:
        raise Http404
    return questionnaire


@staff_page(WRITES)
def new(request: UserRequest) -> HttpResponse:
    """Create a questionnaire, from the library or empty."""
    form = NewForm(request.POST or None, user=request.user)
    done = run_action(
        request,
        lambda: drafts.create_questionnaire(
            brand_id=form.cleaned_data["brand"].pk,
            kind=form.cleaned_data["kind"],
            name=form.cleaned_data["name"],
            from_library=form.cleaned_data["from_library"],
            actor=request.user,
        ),
        _("Draft created."),
        form=form,
    )
    if done:
        return redirect(done.result.get_absolute_url())
    return render(request, "kyc/questionnaires/new.html", {"form": form}, status=422 if form.errors else 200)


@staff_page(WRITES)
def questionnaire(request: UserRequest, questionnaire_id: int) -> HttpResponse:
    """Show a questionnaire as it would be published next, with what keeps it from that, and its versions."""
    item = found(request, questionnaire_id)
    data, revision = drafts.edited_content(item)
    content = read(data)
    pending = item.proposals.filter(state=ApprovalState.PENDING).select_related("questionnaire__brand").first()
    latest = drafts.current_version(item)
    languages = publishing.languages_of(item.brand)
    context = {
        "questionnaire": item,
        "content": content,
        "revision": revision,
        "draft": getattr(item, "draft", None),
        "latest": latest,
        "is_published": latest is not None and not latest.is_retired,
        "problems": publishing.problems_of(content, publishing.required_languages(item.brand)),
        "untranslated": [language_name(code) for code in publishing.untranslated(content, item.brand)],
        "proposal": proposal_of(pending, request.user) if pending else None,
        "versions": item.versions.select_related("published_by", "approved_by")[:VERSIONS_SHOWN],
        "languages": [language_name(code) for code in languages],
        **described(content),
    }
    return render(request, "kyc/questionnaires/questionnaire.html", context)


def described(content: Content) -> dict[str, Any]:
    """Describe content in words, for the builder and for a version's page."""
    questions = list(content.questions())
    return {
        "asked": publishing.asked_text(content),
        "audience": sentence_of(dict(content.settings.audience), CLIENT) if content.settings.audience else "",
        "sections": [
            {
                "section": section,
                "questions": [
                    {
                        "question": question,
                        "when": sentence_of(dict(question.when), of_questions(content.before(question.id)))
                        if question.when
                        else "",
                    }
                    for question in section.questions
                ],
            }
            for section in content.sections
        ],
        "outcomes": [
            {
                "outcome": outcome,
                "when": sentence_of(dict(outcome.when), of_questions(questions, with_score=True))
                if outcome.when
                else "",
                "effects": publishing.effects_text(outcome),
            }
            for outcome in content.outcomes
        ],
        "score_max": sum(question.score_max for question in questions),
        "types": QuestionType.choices,
    }


@staff_page(WRITES)
def edit(request: UserRequest, questionnaire_id: int, kind: str, part: str) -> HttpResponse:
    """Change the settings, a section, a question or an outcome; `part` is its id, or `new`."""
    item = found(request, questionnaire_id)
    data, revision = drafts.edited_content(item)
    form, home = _form_of(request, item, data, kind, part)

    def save() -> None:
        changed = form.changed()
        if kind != "settings":
            changed, _part_id = editing.put(data, kind, changed, section_id=home)
        sent = request.POST.get("revision", "")
        drafts.save_draft(
            questionnaire_id=item.pk, data=changed, revision=int(sent) if is_whole(sent) else -1, actor=request.user
        )

    if run_action(request, save, _("Draft saved."), form=form):
        if "more" in request.POST and part != "new":
            return redirect(request.get_full_path())
        return redirect(f"{item.get_absolute_url()}#{part}")
    context = {
        "questionnaire": item,
        "form": form,
        "kind": kind,
        "part": part,
        "revision": request.POST.get("revision", revision),
        "type_label": QuestionType(form.part["type"]).label if kind == "question" else "",
    }
    return render(request, "kyc/questionnaires/edit.html", context, status=422 if form.errors else 200)


def _form_of(request: UserRequest, item: Questionnaire, data: dict[str, Any], kind: str, part: str) -> tuple[Any, str]:
    """Make the form of a part, and name the section that a new question goes into. Raises: Http404."""
    common: dict[str, Any] = {"languages": publishing.languages_of(item.brand)}
    sent = request.POST or None
    if kind == "settings":
        return SettingsForm(sent, part=data, **common), ""
    if kind not in editing.PREFIX:
        raise Http404
    known = {} if part == "new" else _part(data, kind, part)
    if kind == "section":
        return SectionForm(sent, part=known, **common), ""
    content = read(data)
    if kind == "outcome":
        return OutcomeForm(sent, part=known, content=content, **common), ""
    section = ""
    if part == "new":
        if not content.sections:
            raise Http404
        known_sections = [one.id for one in content.sections]
        asked, kind_of_question = request.GET.get("section", ""), request.GET.get("type", "")
        section = asked if asked in known_sections else known_sections[0]
        known = {"type": kind_of_question if kind_of_question in QuestionType.values else QuestionType.SINGLE.value}
    return QuestionForm(sent, part=known, content=content, **common), section


def _part(data: dict[str, Any], kind: str, part: str) -> dict[str, Any]:
    done = outcome_of(lambda: editing.part_of(data, kind, part), only=NotFound)
    if not done:
        raise Http404
    return done.result


@require_POST
@staff_page(WRITES)
def arrange(request: UserRequest, questionnaire_id: int) -> HttpResponse:
    """Move a part up or down, or remove it."""
    item = found(request, questionnaire_id)
    data, _revision = drafts.edited_content(item)
    kind, part, act = (request.POST.get(name, "")[:40] for name in ("kind", "part", "act"))
    sent = request.POST.get("revision", "")
    if kind not in editing.PREFIX or act not in ("up", "down", "remove") or not is_whole(sent):
        raise Http404

    def work() -> None:
        changed = (
            editing.remove(data, kind, part) if act == "remove" else editing.move(data, kind, part, up=act == "up")
        )
        drafts.save_draft(questionnaire_id=item.pk, data=changed, revision=int(sent), actor=request.user)

    run_action(request, work, _("Removed.") if act == "remove" else "")
    return redirect(f"{item.get_absolute_url()}#{part}")


@require_POST
@staff_page(WRITES)
def publish(request: UserRequest, questionnaire_id: int) -> HttpResponse:
    """Propose the draft or the end of the questionnaire to a second person, or discard the draft."""
    item = found(request, questionnaire_id)
    act, reason = request.POST.get("act", ""), request.POST.get("reason", "")[:300]
    sent = request.POST.get("revision", "")
    verbs = {
        "propose": lambda: publishing.propose_version(
            questionnaire_id=item.pk,
            revision=int(sent) if is_whole(sent) else -1,
            reason=reason,
            asks_again=request.POST.get("asks_again") == "on",
            actor=request.user,
        ),
        "retire": lambda: publishing.propose_retirement(questionnaire_id=item.pk, reason=reason, actor=request.user),
        "discard": lambda: drafts.discard_draft(questionnaire_id=item.pk, actor=request.user),
    }
    if act not in verbs:
        raise Http404
    said = _("Draft discarded.") if act == "discard" else _("Proposed. A second person must approve it.")
    run_action(request, verbs[act], said)
    return redirect(item.get_absolute_url())


@staff_page(WRITES)
def version(request: UserRequest, questionnaire_id: int, number: int) -> HttpResponse:
    """Show a version as it was published."""
    item = found(request, questionnaire_id)
    row = item.versions.select_related("published_by", "approved_by").filter(number=number).first()
    if row is None:
        raise Http404
    context: dict[str, Any] = {"questionnaire": item, "version": row, "is_read_only": True}
    if not row.is_retired:
        content = read(row.content)
        context |= {"content": content, **described(content)}
    return render(request, "kyc/questionnaires/version.html", context)


@staff_page(WRITES)
def preview(request: UserRequest, questionnaire_id: int) -> HttpResponse:
    """Walk through the draft as a client would, in one of the brand's languages. Answers stay in this session."""
    item = found(request, questionnaire_id)
    content = read(drafts.edited_content(item)[0])
    languages = publishing.languages_of(item.brand)
    asked = request.GET.get("language", "")
    language = asked if asked in languages else languages[0]
    with translation.override(language):
        context = _preview_context(request, item, content, language)
    context |= {
        "questionnaire": item,
        "language": language,
        "languages": [(code, language_name(code)) for code in languages],
    }
    return render(request, "kyc/questionnaires/preview.html", context)


def _preview_context(request: HttpRequest, item: Questionnaire, content: Content, language: str) -> dict[str, Any]:
    key = f"{PREVIEW}-{item.pk}"
    if request.GET.get("restart"):
        request.session.pop(key, None)
    answers: dict[str, Any] = request.session.get(key, {})
    known = {question.id for question in content.questions()}
    answers = {name: value for name, value in answers.items() if name in known}
    here = walk(content, answers, request.GET.get("step", ""))
    form = None
    if not here.is_last:
        form = StepForm(content, here.section, answers, item.brand, request.POST if request.method == "POST" else None)
        if request.method == "POST":
            is_complete = form.is_valid()
            answers = request.session[key] = form.given
            here = walk(content, answers, str(here.number + is_complete))
            if is_complete:
                form = None if here.is_last else StepForm(content, here.section, answers, item.brand)
    gap = here.first_gap() if here.is_last else None
    is_scored = here.is_last and gap is None and bool(content.outcomes) and content.outcomes[-1].is_fallback
    result = outcome_of(lambda: result_of(content, answers)).result if is_scored else None
    shown = _rendered(
        request, {"walk": here, "form": form, "content": content, "is_preview": True, "language": language}
    )
    return {"walk": here, "result": result, "gap": gap, "shown": shown, "content": content}


def _rendered(request: HttpRequest, context: dict[str, Any]) -> str:
    """Render the client's part while their language is active."""
    from django.template.loader import render_to_string

    return render_to_string("kyc/questionnaires/_step.html", context, request=request)
