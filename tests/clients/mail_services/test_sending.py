"""E-mails sent over a mail service's own API, to a server that answers and reports as the service does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.test import Client as Browser
from django.utils import timezone

from clients.mail import deliver
from clients.mail_services import hearing
from clients.mail_services.setup import propose_mail_service
from clients.messages.suppression import reason_against
from clients.messages.tokens import message_id_of
from clients.models import IncomingMail, MailService, MailServiceEvent, MailServiceProposal, Message
from crm import approvals
from crm.choices import Role
from crm.connections.setup import ConnectionSetup
from crm.errors import DomainError
from sandbox.mail.service import API_KEY, SECRET, Account, MailServiceServer, brevo_incoming
from tests.cast import make_staff, signed_in

pytestmark = pytest.mark.django_db
WEBHOOK_KEYS = {"brevo": "password", "mailgun": "signing_key", "mandrill": "webhook_key", "postmark": "password"}


@pytest.fixture
def account(settings) -> Iterator[Account]:
    server = MailServiceServer(("127.0.0.1", 0), Account(is_posting=False))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    settings.SANDBOX_MAIL_API_URL = f"http://127.0.0.1:{server.server_address[1]}"
    settings.BASE_URL = "http://localhost:8000"
    yield server.account
    server.shutdown()
    server.server_close()


def _service(cast, adapter: str = "postmark", api_key: str = API_KEY) -> MailService:
    MailService.objects.update(is_enabled=False)
    keys = {WEBHOOK_KEYS[adapter]: SECRET, "api_key": api_key}
    fields: dict[str, Any] = {"code": adapter, "name": adapter, "adapter": adapter, "base_url": "sandbox:"}
    return MailService.objects.create(brand=cast.brand, sealed_credentials=MailService.sealed(keys), **fields)


def _sent(cast, to: str) -> Message:
    fields: dict[str, Any] = {
        "language": "en",
        "to_address": to,
        "subject": "Wëlcome",
        "body": "Hello",
        "sender": cast.agent,
    }
    message = Message.objects.create(client=cast.client, due_at=timezone.now(), **fields)
    assert deliver(message.pk)
    message.refresh_from_db()
    return message


@pytest.mark.parametrize("adapter", list(WEBHOOK_KEYS))
def test_a_service_takes_our_e_mails_and_its_reports_reach_them(cast, account, adapter):
    """Over the service's own API, with our mark; what it reports then counts for that e-mail."""
    service = _service(cast, adapter)
    account.webhook_url = f"http://localhost:8000/webhooks/mail/{adapter}/"
    message, bounced = _sent(cast, "anna@client.example"), _sent(cast, "bounce@client.example")
    assert (message.state, message.error, mail.outbox) == ("sent", "", [])
    taken = account.mails[0]
    assert (taken.service, taken.recipient, taken.subject) == (adapter, "anna@client.example", "Wëlcome")
    assert taken.metadata == {"keelson": message_id_of(message.pk, "keelson")}
    assert message_id_of(message.pk, "").rstrip("@>") in str(taken.raw)  # our own Message-ID goes with it
    for body, headers in account.reports:
        kind, own = headers["Content-Type"], {name: value for name, value in headers.items() if name != "Content-Type"}
        assert (
            Browser().post(f"/webhooks/mail/{service.code}/", body, content_type=kind, headers=own).status_code == 200
        )
    hearing.process_due()
    message.refresh_from_db()
    bounced.refresh_from_db()
    assert (message.delivery, bounced.delivery) == ("opened", "bounced")
    assert reason_against(cast.brand.pk, "bounce@client.example", is_marketing=False) == "bounce"
    refused = _sent(cast, "refused@client.example")
    assert refused.state == "failed" and refused.error


def test_what_may_work_later_is_tried_again(cast, account):
    """A wrong key, a service that is down, answers too much or hangs up: none of it fails an e-mail, and the service shows why."""
    service = _service(cast, api_key="another")
    message = _sent(cast, "anna@client.example")
    assert message.state == "queued" and "Server Token" in message.error and not account.mails
    service.sealed_credentials = MailService.sealed({"password": SECRET, "api_key": API_KEY})
    service.save()
    for fault in ("down", "huge", "outage"):
        account.faults = {fault}
        message = _sent(cast, "anna@client.example")
        assert message.state == "queued" and message.due_at > timezone.now() and message.error
    service.refresh_from_db()
    assert service.failing_since is not None and service.problem
    account.faults = set()
    assert _sent(cast, "anna@client.example").state == "sent"
    service.refresh_from_db()
    assert service.failing_since is None
    assert _sent(cast, "refused-oddly@client.example").state == "failed"  # in words that the library doesn't know


def test_without_an_api_key_e_mails_go_as_the_deployment_sends(cast, account):
    _service(cast, api_key="")
    message = _sent(cast, "anna@client.example")
    assert message.state == "sent" and not account.mails
    assert mail.outbox[0].extra_headers["X-PM-Metadata-keelson"] == message_id_of(message.pk, "keelson")


def test_brevos_incoming_e_mail_is_put_together_with_its_files(cast, account):
    """Its parts by webhook, its files over the API: tried again while that is down, and named where one can't be had."""
    service = _service(cast, "brevo")
    headers = {
        "From": "Änna <anna@client.example>",
        "To": "support@broker.example",
        "Subject": "Grüße",
        "Message-ID": "<7@client.example>",
        "Received": ["from a by b;\r\n\tNow", "from c by d"],
    }
    sent = brevo_incoming(account, headers, "Hällo", {"a.txt": b"first", "gone.txt": b"second"})
    account.files.popitem()
    for _time in range(2):
        own = {"Authorization": sent[1]["Authorization"]}
        answer = Browser().post(
            f"/webhooks/mail/{service.code}/", sent[0], content_type="application/json", headers=own
        )
        assert answer.status_code == 200
    account.faults = {"down"}
    hearing.process_due()
    assert not IncomingMail.objects.exists()
    account.faults = set()
    MailServiceEvent.objects.update(due_at=timezone.now())
    hearing.process_due()
    arrived = IncomingMail.objects.get()
    assert (arrived.from_address, arrived.subject, arrived.state) == ("anna@client.example", "Grüße", "unassigned")
    names = {file.name: (file.verdict, file.size_bytes) for file in arrived.attachments.all()}
    assert names["a.txt"] == ("kept", 5) and "gone.txt.txt" in names
    assert arrived.from_name == "Änna"


def test_a_stored_api_key_is_removed_by_two_people(cast, account):
    """Whoever approves reads what it means; the e-mails then go as the deployment sends. A key that is needed stays."""
    service = _service(cast)
    browser, path = signed_in(cast.administrator), f"/mail/services/{service.pk}/"
    assert "Remove API key for sending" in browser.get(path).content.decode()
    form = {
        "name": service.name,
        "base_url": "sandbox:",
        "is_enabled": "on",
        "remove_api_key": "on",
        "reason": "Leaving",
    }
    assert browser.post(path, {**form, "api_key": "new"}).status_code == 422
    assert browser.post(path, form).status_code == 302
    proposal = MailServiceProposal.objects.get()
    assert proposal.keys_changed == ["-api_key"] and service.credentials["api_key"] == API_KEY
    second = make_staff("second.admin@keelson.example", Role.ADMINISTRATOR, brand=cast.brand)
    shown = signed_in(second).get("/mail/services/").content.decode()
    assert "Removed keys" in shown and "go over SMTP" in shown
    approvals.approve(MailServiceProposal, proposal.pk, actor=second)
    assert MailService.objects.get().stored_keys == {"password"}
    assert _sent(cast, "anna@client.example").state == "sent" and len(mail.outbox) == 1 and not account.mails
    assert "remove_api_key" not in browser.get(path).content.decode()
    fields = {"adapter": "postmark", "code": "", "name": "PM", "base_url": "sandbox:", "is_enabled": True, "keys": {}}
    for name in ("password", "api_key"):
        with pytest.raises(DomainError, match="no such key"):
            setup = ConnectionSetup(removed=(name,), **fields)
            propose_mail_service(
                brand_id=cast.brand.pk, setup=setup, actor=cast.administrator, reason="-", service_id=service.pk
            )


def test_an_api_key_is_optional_and_never_sent_to_another_address(cast, account):
    """A key that was entered has to be entered again with a new address; one that never was may stay out."""
    setup = ConnectionSetup(
        adapter="postmark", code="pm", name="PM", base_url="sandbox:", is_enabled=True, keys={"password": "long"}
    )
    proposal = propose_mail_service(brand_id=cast.brand.pk, setup=setup, actor=cast.administrator, reason="New")
    approvals.withdraw(MailServiceProposal, proposal.pk, actor=cast.administrator)
    service = _service(cast)
    moved = ConnectionSetup(
        adapter="postmark", code="", name="PM", base_url="https://1.1.1.1", is_enabled=True, keys={"password": "long"}
    )
    with pytest.raises(DomainError, match="API key for sending"):
        propose_mail_service(
            brand_id=cast.brand.pk, setup=moved, actor=cast.administrator, reason="Move", service_id=service.pk
        )
