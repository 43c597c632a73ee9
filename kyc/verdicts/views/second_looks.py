"""The second look: the document and the registration, and nothing of what the machine made of them until one has decided."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.record.access import log_access
from crm.pages.work import AssignSelected, ClaimNext
from crm.ui.actions import run_action
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from kyc import comparison, queries
from kyc.choices import REJECT_TEMPLATES, RejectReason, SecondLookState
from kyc.models import SecondLook
from kyc.verdicts.forms import SecondLookForm
from kyc.verdicts.second_looks import SECOND_LOOK, decide_second_look, get_look
from kyc.verdicts.tables import SecondLookTable


class Look(StaffView):
    """The document to judge again; once decided, with the verdict beside."""

    permission = "kyc.review_document"

    def get(self, request: UserRequest, look_id: int) -> HttpResponse:
        look = get_look(request.user, look_id)
        document = look.document
        log_access(request.user, document.client, f"kyc.second_look:{look.pk}")
        return self._page(request, look)

    def post(self, request: UserRequest, look_id: int) -> HttpResponse:
        look = get_look(request.user, look_id)
        form = SecondLookForm(request.POST)

        def decide() -> SecondLook:
            entered = form.cleaned_data
            return decide_second_look(
                look_id=look.pk,
                actor=request.user,
                is_approved=entered["verdict"] == "approve",
                reason_code=entered["reason_code"],
                reason=entered["reason"],
                note=entered["note"],
            )

        if run_action(request, decide, form=form, show_forbidden=True):
            look.refresh_from_db()
            disagreed = (
                _("You disagree with your colleague. A head of the officers decides.")
                if look.asked_by_id
                else _("You disagree with the first verdict. The approval was overturned.")
            )
            agreed = look.state == SecondLookState.AGREED
            messages.success(request, _("You agree with the first verdict.") if agreed else disagreed)
            return redirect(look)
        return self._page(request, look, form)

    @staticmethod
    def _page(request: UserRequest, look: SecondLook, form: SecondLookForm | None = None) -> HttpResponse:
        document, user = look.document, request.user
        run = queries.last_run(document)
        is_open = look.state == "open"
        issues = [] if is_open else queries.issues_of(document, run)
        work = work_of(user, look.work_id)
        context = {
            "look": look,
            "document": document,
            "client": document.client,
            "is_open": is_open,
            "pages": comparison.page_sizes(document, run),
            "groups": comparison.grouped(issues),
            "issues": issues,
            "run": run,
            "rows": [] if is_open else comparison.rows_of(document, issues),
            "registration": comparison.registration_of(document) if is_open else [],
            "decision": None if is_open or look.asked_by_id else document.machine_decision,
            "work": work,
            "can_decide": is_open and work is not None and bool(work.may_decide),
            "form": form or SecondLookForm(),
            "templates": {reason.value: str(REJECT_TEMPLATES[reason]) for reason in RejectReason},
        }
        refused = form is not None and bool(form.errors)
        return render(request, "kyc/verdicts/second_look.html", context, status=422 if refused else 200)


class Next(ClaimNext):
    kind, permission = SECOND_LOOK, "kyc.review_document"
    empty = gettext_lazy("There are no unclaimed second looks.")


class Assign(AssignSelected):
    table = SecondLookTable
