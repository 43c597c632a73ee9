"""Pages of AML monitoring: rules with their versions and back-tests, the queue of cases, and a case."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from clients.declared import reading
from clients.proofs import identity_records
from clients.queries import clients_visible_to
from clients.record.access import log_access
from compliance.aml import backtesting, cases, follow_up, graph, policies, queries, rules, shipped
from compliance.aml.choices import CaseState, RuleAct, VersionState
from compliance.aml.describing import alert_text, audience, describe, measured, sentence, span
from compliance.aml.follow_up_models import CaseRequest, CaseTask
from compliance.aml.forms import (
    ActForm,
    BacktestForm,
    DecisionForm,
    DocumentRequestForm,
    RequestForm,
    RuleForm,
    TaskForm,
)
from compliance.aml.measures import MEASURES, Measure
from compliance.aml.models import AmlAlert, AmlBacktest, AmlCase, AmlRule, AmlRuleVersion
from compliance.aml.tables import CaseTable
from compliance.aml.vocabulary import POPULATION
from compliance.sar import circle
from compliance.sar.forms import KindForm
from crm import work
from crm.approvals.queries import proposal_of
from crm.choices import AccessKind
from crm.conditions import Condition
from crm.models import Brand, User
from crm.pages.work import AssignSelected, ClaimNext
from crm.security import access_log
from crm.security.scope import reach_of
from crm.ui import conditions
from crm.ui.actions import run_action
from crm.ui.charts import bars
from crm.ui.views import StaffView, TableView, staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of

SEES_CASES, SEES_RULES, WRITES = queries.SEES_CASES, queries.SEES_RULES, policies.WRITES
SAMPLE: Final = 5
VERSIONS_SHOWN, SHADOW_ALERTS_SHOWN, OTHERS_SHOWN, WEEKS_SHOWN = 20, 20, 20, 53


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@staff_page(WRITES)
def new(request: UserRequest) -> HttpResponse:
    """Choose what a new rule measures."""
    brand = Brand.objects.filter(pk__in=reach_of(request.user).whole_brands).order_by("name").first()
    examples = [(measure, _example(measure, brand.base_currency if brand else "")) for measure in MEASURES.values()]
    return render(request, "compliance/aml/new.html", {"measures": examples})


def _example(measure: Measure, currency: str) -> str:
    content = shipped.example_of(measure.code)
    return describe(measure, content.parameters, content.threshold, content.window_hours, currency)


@staff_page(WRITES)
def new_rule(request: UserRequest, measure: str) -> HttpResponse:
    """Write a new rule."""
    if measure not in MEASURES:
        raise Http404
    form = RuleForm(request.POST or None, measure=MEASURES[measure], user=request.user)
    done = run_action(
        request,
        lambda: rules.create_rule(
            brand_id=form.cleaned_data["brand"].pk,
            name=form.cleaned_data["name"],
            content=form.content(),
            why=form.cleaned_data["why"],
            actor=request.user,
        ),
        _("Draft created. Run a back-test next."),
        form=form,
    )
    if done:
        return redirect(done.result)
    context = {"form": form, "measure": MEASURES[measure]}
    return render(request, "compliance/aml/edit.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page(WRITES)
def condition(request: UserRequest) -> HttpResponse:
    """Try out whom a rule would be for: how many clients in reach, and the newest of them."""

    def dry_run(found: Condition) -> conditions.Preview:
        met = clients_visible_to(request.user).filter(found.q(timezone.now())).order_by()
        newest = list(met.order_by("-id").only("id", "first_name", "last_name")[:SAMPLE])
        access_log.note(
            user=request.user,
            kind=AccessKind.SEARCH,
            target="condition",
            rows=len(newest),
            reason=found.sentence()[:200],
        )
        sample = [(client.full_name or f"#{client.pk}", client.get_absolute_url()) for client in newest]
        return conditions.Preview(found.sentence(), met.count(), sample)

    return conditions.preview(request, POPULATION, dry_run)


@require_POST
@staff_page(WRITES)
def add_shipped(request: UserRequest) -> HttpResponse:
    """Add the recommended rules to every brand in reach."""
    brands = Brand.objects.filter(pk__in=reach_of(request.user).whole_brands).order_by("pk")
    run_action(
        request,
        lambda: sum(shipped.add_shipped(brand_id=brand.pk, actor=request.user) for brand in brands),
        lambda count: _("Recommended rules added as drafts: %(count)s.") % {"count": count},
    )
    return redirect("compliance:aml_rules")


@staff_page(WRITES)
def edit(request: UserRequest, rule_id: int) -> HttpResponse:
    """Write the draft of a rule's next version, beginning with the newest one."""
    rule = queries.get_rule(request.user, rule_id)
    version = rule.versions.select_related("rule__brand").order_by("-number").first()
    assert version is not None
    form = RuleForm(request.POST or None, measure=MEASURES[version.measure], version=version)
    done = run_action(
        request,
        lambda: rules.write_draft(
            rule_id=rule.pk, content=form.content(), why=form.cleaned_data["why"], actor=request.user
        ),
        _("Draft saved. Run a back-test next."),
        form=form,
    )
    if done:
        return redirect(rule)
    context = {"form": form, "measure": MEASURES[version.measure], "rule": rule}
    return render(request, "compliance/aml/edit.html", context, status=422 if form.errors else 200)


@staff_page(SEES_RULES)
def rule(request: UserRequest, rule_id: int) -> HttpResponse:
    """Show a rule: what it says, its versions, the last back-test, what its shadow found, and what may be done next."""
    return show_rule(request, queries.get_rule(request.user, rule_id))


def show_rule(
    request: UserRequest, rule: AmlRule, *, backtest: BacktestForm | None = None, act: ActForm | None = None
) -> HttpResponse:
    versions = list(
        rule.versions.select_related("written_by", "approved_by", "rule__brand").order_by("-number")[:VERSIONS_SHOWN]
    )
    newest = versions[0]
    tried = newest.backtests.select_related("by").first()
    pending = newest.proposals.filter(state="pending").select_related("version__rule__brand").first()
    may_write = bool(policies.can_write(request.user, rule))
    context = {
        "rule": rule,
        "version": newest,
        "sentence": sentence(newest),
        "audience": audience(newest),
        "repeat": span(newest.repeat_hours),
        "versions": [(version, sentence(version)) for version in versions],
        "backtest": _described(request.user, newest, tried) if tried else None,
        "is_current": bool(tried and tried.content_hash == rules.hash_of(newest)),
        "shadow": _shadow(newest),
        "proposal": proposal_of(pending, request.user) if pending else None,
        "may_write": may_write,
        "may_edit": may_write and newest.state != VersionState.SHADOW and pending is None,
        "backtest_form": backtest or BacktestForm(),
        "act_form": act or ActForm(),
    }
    refused = bool(backtest and backtest.errors) or bool(act and act.errors)
    return render(request, "compliance/aml/rule.html", context, status=422 if refused else 200)


def _described(user: User, version: AmlRuleVersion, tried: AmlBacktest) -> dict[str, Any]:
    return {
        "row": tried,
        "per_week": backtesting.per_week(tried),
        "chart": bars(
            [count for _day, count in tried.weeks][-WEEKS_SHOWN:], width=720, height=128, label=_("Alerts by week")
        ),
        "samples": _samples(user, version, tried),
        "overlap": [line | {"name": _(line["name"])} for line in tried.overlap if line["both"]],
    }


def _samples(user: User, version: AmlRuleVersion, tried: AmlBacktest) -> list[dict[str, Any]]:
    people = clients_visible_to(user).in_bulk([entry["client"] for entry in tried.samples])
    return [
        {
            "client": people.get(entry["client"]),
            "at": parse_datetime(entry["at"]),
            "value": measured(version, Decimal(entry["value"])),
        }
        for entry in tried.samples
    ]


def _shadow(version: AmlRuleVersion) -> dict[str, Any] | None:
    """Compare what a shadow found with what live rules have raised about the same clients since it began."""
    if version.state != VersionState.SHADOW:
        return None
    found = AmlAlert.objects.filter(version=version, is_shadow=True)
    clients = found.order_by().values("client_id").distinct()
    known = AmlAlert.objects.filter(client_id__in=clients, is_shadow=False, at__gte=version.shadow_since)
    return {
        "count": found.count(),
        "clients": clients.count(),
        "known": known.order_by().values("client_id").distinct().count(),
        "alerts": [
            (alert, measured(version, alert.value))
            for alert in found.select_related("client").order_by("-at")[:SHADOW_ALERTS_SHOWN]
        ],
    }


def _version(request: UserRequest, version_id: int) -> AmlRuleVersion:
    visible = queries.rules_visible_to(request.user)
    return get_object_or_404(
        AmlRuleVersion.objects.filter(rule__in=visible).select_related("rule__brand"), pk=version_id
    )


@require_POST
@staff_page(WRITES)
def backtest(request: UserRequest, version_id: int) -> HttpResponse:
    """Start a back-test and show its progress."""
    version, form = _version(request, version_id), BacktestForm(request.POST)

    def start() -> Any:
        first, last = form.period()
        return backtesting.request_backtest(version=version, start=first, end=last, actor=request.user)

    done = run_action(request, start, form=form, show_forbidden=True)
    return redirect("job", pk=done.result.pk) if done else show_rule(request, version.rule, backtest=form)


@require_POST
@staff_page(WRITES)
def act(request: UserRequest, version_id: int, act: str) -> HttpResponse:
    """Put a version in shadow, propose that it goes live or is retired, or give it up."""
    version, form = _version(request, version_id), ActForm(request.POST)
    given: dict[str, Any] = {"version_id": version.pk, "actor": request.user}
    verbs: dict[str, tuple[Any, str]] = {
        "shadow": (
            lambda reason: rules.start_shadow(reason=reason, **given),
            _("The version runs in shadow mode. Its alerts are recorded and become no case."),
        ),
        "discard": (lambda reason: rules.discard_version(reason=reason, **given), _("Version discarded.")),
    }
    for code in RuleAct.values:
        verbs[code] = (
            lambda reason, code=code: rules.propose(act=code, reason=reason, **given),
            _("Proposed. A second person has to approve it."),
        )
    if act not in verbs:
        raise Http404
    verb, message = verbs[act]
    done = run_action(request, lambda: verb(form.cleaned_data["reason"]), message, form=form, show_forbidden=True)
    return redirect(version.rule) if done else show_rule(request, version.rule, act=form)


# ── cases ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Cases(TableView):
    table = CaseTable
    template_name = "compliance/aml/cases.html"

    def get(self, request: UserRequest, **kwargs: Any) -> Any:
        if not request.GET:
            return redirect(f"{request.path}?state={CaseState.OPEN.value}")
        return super().get(request, **kwargs)


class Next(ClaimNext):
    kind, permission = cases.CASE, policies.DECIDES
    empty = gettext_lazy("There are no unclaimed cases.")


class Assign(AssignSelected):
    table = CaseTable


class CasePage(StaffView):
    permission = SEES_CASES

    def get(self, request: UserRequest, case_id: int) -> HttpResponse:
        case = queries.get_case(request.user, case_id)
        log_access(request.user, case.client, f"compliance.aml_case:{case.pk}")
        return show_case(request, case)


def _request_form(case: AmlCase, data: Any = None) -> RequestForm | None:
    source = identity_records.source()
    offered = source.questionnaires_for(case.client) if source is not None else []
    return RequestForm(data, questionnaires=offered) if offered else None


def _document_form(case: AmlCase, data: Any = None) -> DocumentRequestForm | None:
    source = identity_records.source()
    if source is None:
        return None
    return DocumentRequestForm(data, kinds=source.document_kinds_for(case.client), language=case.client.language)


def _requests(case: AmlCase) -> list[dict[str, Any]]:
    """Describe what the client was asked for, with the address of each answer."""
    rows = list(case.requests.all()[: follow_up.SHOWN_MAX])
    standings = follow_up.standings_of(rows, case)
    return [{"row": row, "standing": standings[row.pk], "url": _answer_url(row)} for row in rows]


def _answer_url(row: CaseRequest) -> str:
    if row.document_id is not None:
        return f"/kyc/documents/{row.document_id}/"
    return f"/kyc/answers/{row.submission_id}/" if row.submission_id is not None else ""


def show_case(
    request: UserRequest,
    case: AmlCase,
    *,
    form: DecisionForm | None = None,
    asked: RequestForm | None = None,
    wanted: DocumentRequestForm | None = None,
    task: TaskForm | None = None,
) -> HttpResponse:
    alerts, movements = queries.alerts_of(case), queries.movements_of(case)
    others = queries.of_client(request.user, case.client_id).exclude(pk=case.pk)
    context = {
        "case": case,
        "client": case.client,
        "alerts": [(alert, alert_text(alert)) for alert in alerts],
        "referrals": queries.referrals_of(case),
        "movements": movements,
        "counterparts": queries.counterparts_of(request.user, [*movements, *(alert.movement for alert in alerts)]),
        "declared": reading.shown_to(request.user, case.client),
        "links": graph.draw(request.user, case.client),
        "others": list(others[:OTHERS_SHOWN]),
        "work": work_of(request.user, case.work_id),
        "can_decide": policies.can_decide(request.user, case),
        "form": form or DecisionForm(),
        "sars": circle.reports_of_case(request.user, case.pk) if circle.is_member(request.user) else None,
        "sar_kinds": KindForm(auto_id="sar_%s"),
        "may_work": bool(policies.can_work(request.user, case)),
        "requests": _requests(case),
        "request_form": asked or _request_form(case),
        "document_form": wanted or _document_form(case),
        "tasks": list(case.tasks.select_related("created_by", "done_by").all()[: follow_up.SHOWN_MAX]),
        "task_form": task or TaskForm(),
        "history": follow_up.history_of(case, alerts),
        "closing_takes_two": work.needs_second_person(case, CaseState.NO_SUSPICION),
    }
    refused = any(given is not None and given.errors for given in (form, asked, wanted, task))
    return render(request, "compliance/aml/case.html", context, status=422 if refused else 200)


@require_POST
@staff_page(policies.DECIDES)
def ask_client(request: UserRequest, case_id: int) -> HttpResponse:
    """Ask the client to answer a questionnaire in the portal."""
    case = queries.get_case(request.user, case_id)
    form = _request_form(case, request.POST)
    if form is None:
        raise Http404
    done = run_action(
        request,
        lambda: follow_up.request_answers(case_id=case.pk, actor=request.user, **form.cleaned_data),
        _("Answers requested in the client portal."),
        form=form,
        show_forbidden=True,
    )
    return redirect(case) if done else show_case(request, case, asked=form)


@require_POST
@staff_page(policies.DECIDES)
def ask_for_document(request: UserRequest, case_id: int) -> HttpResponse:
    """Ask the client for a document in the portal."""
    case = queries.get_case(request.user, case_id)
    form = _document_form(case, request.POST)
    if form is None:
        raise Http404
    done = run_action(
        request,
        lambda: follow_up.ask_for_document(case_id=case.pk, actor=request.user, **form.cleaned_data),
        _("Document requested from the client."),
        form=form,
        field=lambda error: error.code if error.code in form.fields else None,
        show_forbidden=True,
    )
    return redirect(case) if done else show_case(request, case, wanted=form)


@require_POST
@staff_page(policies.DECIDES)
def withdraw_document(request: UserRequest, case_id: int, request_id: int) -> HttpResponse:
    """Stop asking the client for a document."""
    case = queries.get_case(request.user, case_id)
    asked = get_object_or_404(CaseRequest, pk=request_id, case=case)
    run_action(
        request,
        lambda: follow_up.withdraw_document(case_request_id=asked.pk, actor=request.user),
        _("Request withdrawn."),
        show_forbidden=True,
    )
    return redirect(case)


@require_POST
@staff_page(policies.DECIDES)
def add_task(request: UserRequest, case_id: int) -> HttpResponse:
    """Add a task to a case."""
    case, form = queries.get_case(request.user, case_id), TaskForm(request.POST)
    done = run_action(
        request,
        lambda: follow_up.add_task(case_id=case.pk, actor=request.user, **form.cleaned_data),
        _("Task added."),
        form=form,
        show_forbidden=True,
    )
    return redirect(case) if done else show_case(request, case, task=form)


@require_POST
@staff_page(policies.DECIDES)
def finish_task(request: UserRequest, case_id: int, task_id: int) -> HttpResponse:
    """Mark a task as done."""
    case = queries.get_case(request.user, case_id)
    task = get_object_or_404(CaseTask, pk=task_id, case=case)
    run_action(request, lambda: follow_up.finish_task(task_id=task.pk, actor=request.user), _("Task done."))
    return redirect(case)


class Decide(StaffView):
    permission = policies.DECIDES

    def post(self, request: UserRequest, case_id: int) -> HttpResponse:
        case = queries.get_case(request.user, case_id)
        form = DecisionForm(request.POST)
        done = run_action(
            request,
            lambda: cases.decide_case(case_id=case.pk, actor=request.user, **form.cleaned_data),
            form=form,
            show_forbidden=True,
        )
        if not done:
            return show_case(request, queries.get_case(request.user, case_id), form=form)
        if done.result.state == CaseState.OPEN:
            messages.info(request, _("Proposed. A second person has to approve it."))
        else:
            messages.success(request, _("Case decided."))
        return redirect(case)
