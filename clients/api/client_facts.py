"""What `where` of the list of clients may speak of: the facts that apps register, and the brand's own fields."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from ninja import Field, Router, Schema

from clients.custom_fields.registry import SeenVocabulary
from crm.api import openapi
from crm.api.authentication import Principal
from crm.conditions.operators import BY_TYPE
from crm.security.policies import require_permission

SCOPE: Final = "clients:read"


class FactOut(Schema):
    name: str = Field(..., examples=["equity"])
    label: str
    type: str = Field(..., examples=["money"])
    operators: list[str] = Field(..., examples=[["ge", "lt", "empty"]])
    choices: list[str] | None = None


def list_client_facts(request: HttpRequest) -> Any:
    """List what `where` may speak of, with the operators of each."""
    principal: Principal = request.auth  # type: ignore[attr-defined]
    principal.require(SCOPE)
    require_permission(principal.user, "clients.view_client")
    return [
        {
            "name": one.name,
            "label": str(one.label),
            "type": one.type.value,
            "operators": [operator.code for operator in BY_TYPE[one.type]],
            "choices": None if one.choices is None else [str(code) for code, _label in one.choices()],
        }
        for one in SeenVocabulary(principal.user).fields
    ]


def add_facts(router: Router) -> None:
    """Add `GET /v1/client-facts`."""
    router.add_api_operation(
        "/v1/client-facts",
        ["GET"],
        list_client_facts,
        response=list[FactOut],
        operation_id="list_client_facts",
        url_name="list_client_facts",
        summary="List the facts of clients",
        tags=["clients"],
        auth=openapi.auth(),
        openapi_extra=openapi.of_read(SCOPE),
    )
