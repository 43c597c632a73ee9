"""Every resource as every role with all scopes, in the demo's world: a list and its first record, or a refusal, never an error."""

import datetime as dt

import pytest
from django.test import Client as Browser
from django.utils import timezone

import crm.urls  # noqa: F401  the apps' resources are declared when the addresses are
from crm.api.resources import RESOURCES
from crm.api.scopes import BY_CODE
from crm.api.tokens import hash_of
from crm.choices import Role
from crm.models import ApiToken, User
from ib.models import Accrual

pytestmark = pytest.mark.django_db


def test_each_role_reads_each_resource_or_is_refused(demo_world):
    browser, wrong, read = Browser(raise_request_exception=False), [], set()
    for role in Role.values:
        user = User.objects.filter(groups__name=role, is_active=True).first()
        if user is None:
            continue
        ApiToken.objects.create(
            user=user,
            created_by=user,
            name=role,
            scopes=sorted(BY_CODE),
            networks=[],
            hint="kpt_",
            secret_hash=hash_of(f"kpt_{role}"),
            expires_at=timezone.now() + dt.timedelta(days=1),
        )
        for name, resource in RESOURCES.items():
            headers = {"Authorization": f"Bearer kpt_{role}"}
            query = {"limit": 2} | ({"expand": ",".join(resource.expand)} if resource.expand else {})
            answer = browser.get(f"/api/v1/{name}", query, headers=headers)
            if answer.status_code not in (200, 403):
                wrong.append(f"{name} as {role}: {answer.status_code}")
            elif answer.status_code == 200 and (rows := answer.json()["data"]):
                read.add(name)
                one = browser.get(f"/api/v1/{name}/{rows[0]['id']}", headers=headers).status_code
                wrong += [f"{name}/{rows[0]['id']} as {role}: {one}"] if one != 200 else []
    assert not wrong, "\n".join(wrong)
    has_commissions = Accrual.objects.exists()  # at some hours the smallest demo has none
    assert read >= {"clients", "deals", "deposits", "journals", "leads", *(["accruals"] if has_commissions else [])}
