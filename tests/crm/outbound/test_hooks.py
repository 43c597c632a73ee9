"""Subscriptions over the API, as Zapier and n8n make and end them."""

import json

import pytest
from django.test import Client as Caller

from crm.api.tokens import TokenDetails, create_token
from crm.choices import WebhookState
from crm.models import WebhookEndpoint
from crm.outbound import endpoints
from tests.crm.outbound.conftest import assign, go, leads

pytestmark = pytest.mark.django_db


def call(method, path, secret, **given):
    return getattr(Caller(), method)(
        f"/api/v1/hooks{path}",
        json.dumps(given) if given else "",
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}"},
    )


def token(user, *scopes):
    return create_token(user_id=user.pk, actor=user, details=TokenDetails("Zapier", scopes or ("webhooks:write",)))[1]


def test_an_integration_subscribes_hears_and_ends_it(cast, receiver, monkeypatch):
    secret = token(cast.administrator)
    asked = {"target_url": receiver.url + "/zap", "event": "lead.assigned", "brand": cast.brand.code}
    made = call("post", "", secret, **asked)
    assert made.status_code == 201
    receiver.secrets["/zap"] = made.json()["secret"]
    assert call("post", "", secret, **asked).json()["id"] == made.json()["id"], "the same subscription"
    assign(cast, 1)
    go()
    assert leads(receiver, "/zap") == [1] and receiver.received[0]["signed"]
    assert [row["event"] for row in call("get", "", secret).json()] == ["lead.assigned"]
    assert call("delete", f"/{made.json()['id']}", secret).status_code == 204
    assert WebhookEndpoint.objects.get().state == WebhookState.ARCHIVED
    assert call("delete", f"/{made.json()['id']}", secret).status_code == 404
    assign(cast, 2)
    go()
    assert leads(receiver, "/zap") == [1]
    monkeypatch.setattr(endpoints, "HOOKS_MAX", 0)
    assert call("post", "", secret, **asked).status_code == 422


def test_who_may_not(cast, receiver):
    asked = {"target_url": receiver.url + "/zap", "event": "lead.assigned", "brand": cast.brand.code}
    admin = token(cast.administrator)
    assert call("post", "", token(cast.administrator, "clients:read"), **asked).json()["code"] == "insufficient_scope"
    assert call("post", "", token(cast.finance), **asked).status_code == 403
    assert call("post", "", admin, **{**asked, "brand": cast.other_brand.code}).json()["code"] == "invalid_request"
    assert call("post", "", admin, **{**asked, "event": "no.such"}).status_code == 422
    assert call("post", "", admin, **asked, more=1).status_code == 422
    assert not WebhookEndpoint.objects.exists()
