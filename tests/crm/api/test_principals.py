"""Tokens and service accounts: who may create them, what they open, how they end."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.test import Client as Caller
from django.utils import timezone

from crm import approvals
from crm.api import tokens
from crm.api.service_accounts import create_service_account
from crm.api.tokens import TokenDetails, create_token, revoke_token, rotate_token
from crm.choices import Role
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import ApiScopeRequest, ApiToken, AuditEvent, GrantRequest, User
from crm.staff.people import switch_off
from tests.cast import make_staff, signed_in

pytestmark = pytest.mark.django_db


def new_token(user, *scopes, actor=None, **more) -> tuple[ApiToken, str]:
    return create_token(
        user_id=user.pk, actor=actor or user, details=TokenDetails("Export", scopes or ("clients:read",), **more)
    )


def call(path: str, secret: str, **more):
    return Caller().get(path, headers={"authorization": f"Bearer {secret}"}, **more)


def test_a_personal_token_opens_the_api_until_it_is_revoked(cast):
    token, secret = new_token(cast.finance, "clients:read", "payments:read")
    answer = call("/api/v1/me", secret)
    assert answer.status_code == 200
    assert answer.json()["scopes"] == ["clients:read", "payments:read"]
    assert (answer.json()["id"], answer.json()["kind"]) == (cast.finance.pk, "staff")
    assert (answer["X-RateLimit-Limit"], answer["Keelson-Version"]) == ("600", "2026-11-26")
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert token.last_used_ip == "127.0.0.1"
    assert secret not in str(ApiToken.objects.values())  # only its hash is kept
    revoke_token(token_id=token.pk, actor=cast.finance)
    refused = call("/api/v1/me", secret)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    with pytest.raises(WrongState):
        revoke_token(token_id=token.pk, actor=cast.finance)


def test_what_opens_nothing(cast):
    _token, secret = new_token(cast.finance, networks=["10.0.0.0/8"])
    assert call("/api/v1/me", secret).json()["code"] == "wrong_network"
    assert call("/api/v1/me", secret, REMOTE_ADDR="10.1.2.3").status_code == 200
    other, open_secret = new_token(cast.finance)
    ApiToken.objects.filter(pk=other.pk).update(
        created_at=timezone.now() - dt.timedelta(days=2), expires_at=timezone.now() - dt.timedelta(days=1)
    )
    for text in (open_secret, "kpt_unknown", "kat_forged:1:x", "", "ü" * 50):
        assert call("/api/v1/me", text).status_code == 401, text
    assert Caller().get("/api/v1/me").status_code == 401
    switch_off(user_id=cast.finance.pk, actor=cast.administrator, reason="Leaves")
    assert call("/api/v1/me", secret, REMOTE_ADDR="10.1.2.3").status_code == 401


def test_a_rotated_token_and_its_successor_overlap(cast):
    token, secret = new_token(cast.finance, "clients:read", days=30)
    newer, new_secret = rotate_token(token_id=token.pk, actor=cast.finance)
    token.refresh_from_db()
    assert token.expires_at <= timezone.now() + tokens.OVERLAP
    assert newer.scopes == token.scopes
    assert {call("/api/v1/me", text).status_code for text in (secret, new_secret)} == {200}
    with pytest.raises(WrongState):
        rotate_token(token_id=token.pk, actor=cast.finance)


def test_who_may_not_create_tokens(cast):
    with pytest.raises(NotAllowed):
        new_token(cast.agent)
    with pytest.raises(NotAllowed):
        new_token(cast.finance, actor=cast.administrator)  # a person's token is theirs alone
    for details in (
        {"scopes": ("everything",)},
        {"networks": ["somewhere"]},
        {"days": 400},
        {"scopes": ("ledger:read",)},  # powerful, and no reason
    ):
        scopes = details.pop("scopes", ("clients:read",))
        with pytest.raises(DomainError):
            new_token(cast.finance, *scopes, **details)
    assert not ApiToken.objects.exists()
    assert not AuditEvent.objects.filter(action="crm.api_token_created").exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.create(
            user=cast.finance,
            created_by=cast.finance,
            name="",
            scopes=[],
            secret_hash=b"x",
            expires_at=timezone.now() + dt.timedelta(1),
        )


def test_powerful_scopes_take_a_second_person(cast):
    token, secret = new_token(cast.finance, "payments:read", "ledger:read", reason="Accounting reads journals")
    assert call("/api/v1/me", secret).json()["scopes"] == ["payments:read"]
    asked = ApiScopeRequest.objects.get(token=token)
    with pytest.raises(NotAllowed):
        approvals.approve(ApiScopeRequest, asked.pk, actor=cast.finance)
    approvals.approve(ApiScopeRequest, asked.pk, actor=cast.administrator)
    assert call("/api/v1/me", secret).json()["scopes"] == ["ledger:read", "payments:read"]


def new_service_account(cast, role: Role = Role.SUPPORT) -> User:
    """A service account whose role and access a second administrator has approved."""
    user = create_service_account(brand=cast.brand, name="Dialler", role=role, reason="Calls", actor=cast.administrator)
    second = make_staff("second.admin@keelson.example", Role.ADMINISTRATOR, brand=cast.brand)
    for asked in GrantRequest.objects.filter(user=user):
        approvals.approve(GrantRequest, asked.pk, actor=second)
    return User.objects.get(pk=user.pk)


def test_a_service_account_gets_role_and_access_by_four_eyes_and_signs_in_nowhere(cast):
    user = new_service_account(cast)
    assert user.has_perm("support.view_ticket")
    assert not user.has_usable_password()
    with pytest.raises(NotAllowed):
        create_service_account(brand=cast.brand, name="Mine", role=Role.SUPPORT, reason="x", actor=cast.finance)
    with pytest.raises(NotAllowed):
        create_service_account(
            brand=cast.other_brand, name="Theirs", role=Role.SUPPORT, reason="x", actor=cast.administrator
        )
    with pytest.raises(NotAllowed):
        new_token(user, actor=user)  # a program makes no keys


def test_client_credentials_become_an_access_token_of_an_hour(cast):
    user = new_service_account(cast)
    token, secret = new_token(user, "clients:read", "support:read", actor=cast.administrator)
    asked = {"grant_type": "client_credentials", "client_id": str(user.pk), "client_secret": secret}
    answer = Caller().post("/api/v1/oauth/token", {**asked, "scope": "support:read"})
    assert answer.status_code == 200, answer.content
    assert answer.json()["expires_in"] == 3600
    access = answer.json()["access_token"]
    me = call("/api/v1/me", access).json()
    assert (me["kind"], me["scopes"], me["brand"]) == ("service", ["support:read"], cast.brand.code)
    for wrong in (
        {"client_secret": "ksv_wrong"},
        {"client_id": "1"},
        {"scope": "ledger:read"},
        {"grant_type": "password"},
    ):
        assert Caller().post("/api/v1/oauth/token", {**asked, **wrong}).status_code in (400, 401), wrong
    revoke_token(token_id=token.pk, actor=cast.administrator)
    assert call("/api/v1/me", access).status_code == 401


def test_the_pages_of_tokens(cast):
    browser = signed_in(cast.finance)
    assert browser.get("/api-tokens/").status_code == 200
    made = browser.post(
        "/api-tokens/new/",
        {"name": "Export", "scopes": ["payments:read", "ledger:read"], "days": 30, "reason": "Books"},
    )
    secret = made.context["secret"]
    assert call("/api/v1/me", secret).status_code == 200
    token = ApiToken.objects.get(name="Export")
    page = browser.get(f"/api-tokens/{token.pk}/")
    assert secret not in page.content.decode()
    assert "Read accounts, journals and balances of the ledger" in page.content.decode()
    assert signed_in(cast.mlro).get(f"/api-tokens/{token.pk}/").status_code == 404
    newer = browser.post(f"/api-tokens/{token.pk}/rotate/").context["token"]
    browser.post(f"/api-tokens/{newer.pk}/revoke/")
    assert ApiToken.objects.get(pk=newer.pk).revoked_by == cast.finance


def test_the_pages_of_service_accounts(cast):
    browser = signed_in(cast.administrator)
    made = browser.post(
        "/service-accounts/new/", {"name": "Dialler", "brand": cast.brand.pk, "role": "support", "reason": "Calls"}
    )
    user = User.objects.get(kind="service")
    assert made["Location"] == f"/service-accounts/{user.pk}/"
    assert browser.get(f"/service-accounts/{user.pk}/").status_code == 200
    assert browser.get("/service-accounts/").status_code == 200
    asked = {"name": "Key", "scopes": ["clients:read"], "days": 30}
    secret = browser.post(f"/api-tokens/new/?account={user.pk}", asked).context["secret"]
    assert call("/api/v1/me", secret).json()["kind"] == "service"
    browser.post(f"/service-accounts/{user.pk}/switch/", {"reason": "Not needed"})
    assert call("/api/v1/me", secret).status_code == 401
    assert signed_in(cast.finance).get(f"/service-accounts/{user.pk}/").status_code == 403
