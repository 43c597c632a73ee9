"""Powerful scopes by four eyes: the token has them once another person has approved."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.api.scopes import label_of
from crm.api.tokens import MANAGES, USES
from crm.approvals import Change
from crm.audit_codes import CrmAction
from crm.choices import TokenState
from crm.db.locking import lock
from crm.errors import WrongState
from crm.i18n.localized_text import LocalizedText
from crm.models import Actor, ApiScopeRequest, ApiToken, User
from crm.notices.kinds import CrmNotice
from crm.security.policies import YES, Decision, no
from crm.staff.queries import reaches_staff, team_visible_to


class ScopeApproval(approvals.ApprovalKind[ApiScopeRequest]):
    """Asked for with the token by whoever created it; decided by another person who sets up the API."""

    model = ApiScopeRequest
    code = "api_scopes"
    label = gettext_lazy("Powerful API scopes")
    asks, decides = USES, MANAGES
    proposed, approved = CrmAction.API_SCOPES_REQUESTED, CrmAction.API_SCOPES_APPROVED
    rejected, withdrawn = CrmAction.API_SCOPES_REJECTED, CrmAction.API_SCOPES_WITHDRAWN
    notice = CrmNotice.API_SCOPES_REQUESTED
    related = ("token__user__brand",)
    one_open = ("token",)
    is_sensitive = True
    done = gettext_lazy("Approved. The token has these scopes now.")

    def in_reach(self, rows: QuerySet[ApiScopeRequest], user: User) -> QuerySet[ApiScopeRequest]:
        return rows.filter(token__user__in=team_visible_to(user))

    def brand_id(self, item: ApiScopeRequest) -> int | None:
        return item.token.user.brand_id

    def reaches(self, user: Actor, item: ApiScopeRequest) -> Decision:
        if user is None or reaches_staff(user, item.token.user):
            return YES
        return no(_("You don't have access to this brand."))

    def may_decide(self, user: User, item: ApiScopeRequest) -> Decision:
        if user.is_service:
            return no(_("A service account can't decide about scopes."))
        if user.pk == item.token.user_id:
            return no(_("Another person must approve the scopes of your token."))
        return super().may_decide(user, item)

    def not_deciders(self, item: ApiScopeRequest) -> set[int | None]:
        return {item.requested_by_id, item.token.user_id}

    def lock(self, pk: int) -> ApiScopeRequest:
        token_id = ApiScopeRequest.objects.values_list("token_id", flat=True).get(pk=pk)
        lock(ApiToken, token_id)
        return lock(self.rows(), pk)

    def apply(self, item: ApiScopeRequest, actor: User, **given: Any) -> None:
        token = item.token
        if token.state != TokenState.ACTIVE:
            raise WrongState(_("This token is no longer active."))
        token.scopes = sorted({*token.scopes, *item.scopes})
        token.save(update_fields=["scopes"])

    def title(self, item: ApiScopeRequest) -> LocalizedText:
        return f"{item.token.name} · {item.token.user}"

    def url(self, item: ApiScopeRequest) -> str:
        return f"/approvals/{self.code}/{item.pk}/"

    def changes(self, item: ApiScopeRequest) -> list[Change]:
        return [
            Change(_("Token"), str(item.token)),
            Change(_("For"), item.token.user),
            *(Change(_("Scope"), label_of(code)) for code in item.scopes),
        ]

    def after(self, item: ApiScopeRequest) -> dict[str, Any]:
        return {"token": item.token_id, "scopes": item.scopes}
