"""Pages of periodic reviews: the queue, and one with what to check and its decision."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.record.access import log_access
from crm.pages.work import AssignSelected, ClaimNext
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import StaffView, TableView
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from kyc.client_reviews.checklist import points_of
from kyc.client_reviews.deciding import decide_review
from kyc.client_reviews.kind import PERIODIC, reviews_visible_to
from kyc.client_reviews.tables import ClientReviewTable
from kyc.models.client_reviews import ClientReview, ReviewState

RIGHT = "kyc.review_client"
EARLIER_MAX = 10


class DecisionForm(forms.Form):
    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"),
        choices=[(state.value, state.label) for state in ReviewState if state.value in PERIODIC.outcomes],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=1000, required=False, widget=forms.Textarea({"rows": 3})
    )


class Reviews(TableView):
    table = ClientReviewTable
    template_name = "kyc/client_reviews/queue.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        return {}


class Next(ClaimNext):
    kind, permission = PERIODIC, RIGHT
    empty = gettext_lazy("There are no unclaimed reviews.")


class Assign(AssignSelected):
    table = ClientReviewTable


class ReviewPage(StaffView):
    """One review: what to check, and the decision. Reading it is logged."""

    permission = RIGHT

    def get(self, request: UserRequest, review_id: int) -> HttpResponse:
        review = self._review(request, review_id)
        log_access(request.user, review.client, f"kyc.clientreview:{review.pk}")
        return self._page(request, review, DecisionForm())

    def post(self, request: UserRequest, review_id: int) -> HttpResponse:
        review = self._review(request, review_id)
        form = DecisionForm(request.POST)
        done = run_action(
            request,
            lambda: decide_review(review_id=review.pk, actor=request.user, **form.cleaned_data),
            _("Review decided."),
            form=form,
            show_forbidden=True,
        )
        return redirect("kyc:client_reviews") if done else self._page(request, review, form)

    @staticmethod
    def _review(request: UserRequest, review_id: int) -> ClientReview:
        review = (
            reviews_visible_to(request.user)
            .select_related("client__brand", "client__book")
            .filter(pk=review_id)
            .first()
        )
        if review is None:
            raise Http404
        return review

    @staticmethod
    def _page(request: UserRequest, review: ClientReview, form: DecisionForm) -> HttpResponse:
        earlier = ClientReview.objects.filter(client=review.client).exclude(pk=review.pk).select_related("decided_by")
        context = {
            "review": review,
            "client": review.client,
            "points": points_of(review.client),
            "earlier": list(earlier[:EARLIER_MAX]),
            "work": work_of(request.user, review.work_id),
            "form": form,
        }
        return render(request, "kyc/client_reviews/review.html", context, status=422 if form.errors else 200)
