"""The program of docs/examples and a generated client against a real server: what an integrator begins with."""

import datetime as dt
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from django.utils import timezone

from clients.models import Client
from crm.models import WebhookDelivery
from crm.outbound import endpoints
from leads.assignment import assign_leads
from leads.models import Lead
from tests.crm.api.test_reading import secret_of
from tests.crm.outbound.conftest import go
from tests.ib.factories import make_deal
from tests.trading.factories import make_account, make_server, make_type
from tests.trading.processes import free_port
from trading.models import Deal, TradingAccount

GUIDE = Path(__file__).parents[3] / "docs" / "api.md"
PROGRAM = GUIDE.parent / "examples" / "lead_to_deals.py"
SCOPES = ("leads:write", "clients:read", "clients:write", "trading:read", "trading:write")


@pytest.fixture
def account_type(cast, db):
    server = make_server()
    account = make_account(cast.client, server)
    make_deal(account, at=timezone.now(), entry=0, lots="0.10", position=1, profit="12.50")
    return make_type(cast.brand, server, is_demo=True, kyc_level=0)


@pytest.mark.django_db(transaction=True)
def test_the_example_goes_from_a_lead_to_its_deals(cast, account_type, live_server):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    details = endpoints.EndpointDetails("Example", f"{url}/in", ["lead.assigned"], {})
    hook = endpoints.create_endpoint(brand_id=cast.brand.pk, actor=cast.administrator, details=details)
    settings = {
        "KEELSON_URL": live_server.url,
        "KEELSON_TOKEN": secret_of(cast.desk_head, *SCOPES),
        "KEELSON_WEBHOOK_SECRET": endpoints.show_secret(endpoint_id=hook.pk, actor=cast.administrator),
    }
    options = ["--brand", cast.brand.code, "--email", "pia@example.com", "--account-type", str(account_type.pk)]
    program = subprocess.Popen(
        [sys.executable, PROGRAM, *options, "--listen", f"127.0.0.1:{port}", "--wait", "60"],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until = time.monotonic() + 60
        while not Lead.objects.exists() and program.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        lead = Lead.objects.first()
        if lead is not None:
            forged = {"id": 1, "name": "lead.assigned", "data": {"lead_id": lead.pk, "agent_id": 666}}
            headers = {"webhook-id": "m", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
            assert httpx.post(url, json=forged, headers=headers).status_code == 401
            assign_leads(client_ids=[lead.client_id], agent_id=cast.agent.pk, actor=cast.desk_head)
            go()
        printed = program.communicate(timeout=60)[0]
    finally:
        program.kill()
    assert program.returncode == 0, printed
    client = Client.objects.get(email="pia@example.com")
    account = TradingAccount.objects.get(client=client)
    assert printed.splitlines()[1:] == [
        f"Lead {lead.pk} captured, client {client.pk}",
        f"Assigned to agent {cast.agent.pk}, signature valid",
        f"Client {client.pk} is contacted",
        f"Account {account.pk} is requested",
        f'1 deals: [{{"id": {Deal.objects.get().pk}, "symbol": "EURUSD", "lots": "0.10000000", "profit": '
        '{"amount": "12.50", "currency": "EUR"}}]',
    ]
    assert [row.state for row in WebhookDelivery.objects.all()] == ["delivered"]


@pytest.mark.django_db(transaction=True)
def test_the_documented_command_makes_a_typed_client_that_works(cast, live_server, tmp_path, monkeypatch):
    command = re.search(r"^openapi-python-client generate .*$", GUIDE.read_text(), re.M)[0]
    shutil.copy(GUIDE.parent / "openapi.json", tmp_path)
    subprocess.run(
        [Path(sys.executable).parent / "openapi-python-client", *shlex.split(command)[1:]],
        check=True,
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
    )
    monkeypatch.syspath_prepend(tmp_path)
    from keelson_client import AuthenticatedClient
    from keelson_client.api.clients import list_clients
    from keelson_client.api.leads import create_lead
    from keelson_client.models import NewLead, Problem

    with AuthenticatedClient(live_server.url, secret_of(cast.desk_head, "clients:read", "leads:write")) as client:
        new = NewLead(brand=cast.brand.code, email="pia@example.com", country="DE")
        leads = [create_lead.sync(client=client, body=new, idempotency_key="one") for _ in range(2)]
        assert leads[0].id == leads[1].id == Lead.objects.get().pk, "the same key does nothing again"
        other = NewLead(brand=cast.brand.code, email="uma@example.com")
        refused = create_lead.sync(client=client, body=other, idempotency_key="one")
        assert isinstance(refused, Problem) and refused.code == "idempotency_conflict"
        page = list_clients.sync(client=client, limit=2, created_atgte=timezone.now() - dt.timedelta(days=1))
        assert [row.stage for row in page.data] == ["lead", "registered"]
        assert page.data[0].email != "pia@example.com", "masked"
        assert isinstance(page.data[0].created_at, dt.datetime)
