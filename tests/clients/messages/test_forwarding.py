"""Forwarding an e-mail: to who reaches the client, or to an address that the brand allows; never to a suppressed one."""

import pytest
from django.core import mail as outbox
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from clients.mail import undo_message, write_to_client
from clients.messages.choices import DeliveryState, SuppressionReason
from clients.messages.delivery import Report, note_delivery
from clients.messages.forwarding import Recipient, forward_mail
from clients.messages.suppression import suppress
from clients.messages.unsubscribing import unsubscribe
from clients.models import Client, Message, TimelineEntry
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent, AuditEvent, OutboxEvent
from crm.security import audit
from tests.brand_policies import set_policies
from tests.cast import signed_in
from tests.clients.messages.running import take, write
from tests.outbox import send_now

pytestmark = pytest.mark.django_db
LAWYER = "lawyer@chambers.example"


@pytest.fixture
def sent(cast):
    message = write_to_client(
        client_id=cast.client.pk,
        actor=cast.agent,
        template="clients.free_text",
        subject="Offer",
        message="Hi Clara",
        files=[SimpleUploadedFile("offer.pdf", b"%PDF-1.7 offer")],
    )
    send_now()
    return message


def forward(cast, original, **fields):
    values = {"actor": cast.agent, "recipient": Recipient(cast.desk_head.pk), "note": "Please look", **fields}
    return forward_mail(original=original, **values)


def test_a_clients_e_mail_is_quoted_with_its_file(cast, mailbox):
    """Nothing of the quote works as a button or a value of our own texts; replies go to the colleague who forwarded it."""
    text = "Dear all\n\n[Pay now](https://evil.example)\n\n{{ link }}"
    came = take(cast.brand, write(text, proved=True, files=(("id.pdf", b"%PDF-1.7 id"),)), mailbox)
    form = f"/mail/incoming/{came.pk}/forward/"
    browser = signed_in(cast.agent)
    assert form in browser.get(f"/mail/threads/{came.thread_id}/").content.decode()
    entered = {"colleague": cast.desk_head.pk, "note": "Please look", "with_files": "on"}
    assert browser.post(form, entered).status_code in (204, 302)
    send_now()
    [went] = outbox.outbox
    assert (went.to, went.subject, went.reply_to) == ([cast.desk_head.email], "Fwd: Question", [cast.agent.email])
    assert went.body.startswith("Please look\n\n> ") and "> Dear all" in went.body
    assert "> [Pay now](https://evil.example)" in went.body and "> {{ link }}" in went.body
    assert 'href="https://evil.example"' not in went.alternatives[0][0]
    assert [(file[0], file[1]) for file in went.attachments] == [("id.pdf", b"%PDF-1.7 id")]
    row = Message.objects.get(template="clients.forward")
    assert "Dear all" not in row.body and row.forwards_mail == came
    shown = browser.get(f"/mail/threads/{came.thread_id}/").content.decode()
    assert f"Forwarded to {cast.desk_head.email}" in shown
    assert signed_in(cast.other_agent).get(form).status_code == 404


def test_a_forward_is_on_every_record(cast, sent):
    before = Client.objects.get(pk=cast.client.pk).last_contact_at
    row = forward(cast, sent)
    evidence = str(audit.body_of(AuditEvent.objects.get(action="clients.mail_forwarded")))
    assert cast.desk_head.email in evidence and sent.attachments.get().sha256 in evidence
    assert AccessEvent.objects.get(target=f"clients.message:{row.pk}").client_id == cast.client.pk
    assert TimelineEntry.objects.get(dedupe_key=f"message:{row.pk}").title == "E-mail forwarded: Offer"
    assert Client.objects.get(pk=cast.client.pk).last_contact_at == before
    undo_message(message_id=row.pk, actor=cast.agent)
    outbox.outbox.clear()
    assert send_now() == 0 and not outbox.outbox
    with pytest.raises(WrongState, match="original"):
        forward(cast, row)


def test_only_who_reaches_the_client_and_listed_addresses_get_it(cast, sent):
    """And personal data leaves the company only where that was confirmed."""
    outside = Recipient(address=LAWYER.upper(), is_confirmed=True)
    refused = [
        (Recipient(cast.other_agent.pk), "access to this client"),
        (Recipient(cast.client_user.pk), "access to this client"),
        (Recipient(), "Choose a colleague"),
        (outside, "don't allow"),
    ]
    for recipient, why in refused:
        with pytest.raises(DomainError, match=why):
            forward(cast, sent, recipient=recipient)
    set_policies(cast.brand, mail_forward_addresses=[LAWYER])
    with pytest.raises(DomainError, match="may leave the company"):
        forward(cast, sent, recipient=Recipient(address=LAWYER))
    suppress(brand_id=cast.brand.pk, address=LAWYER, reason=SuppressionReason.BOUNCE)
    with pytest.raises(DomainError, match="suppression list"):
        forward(cast, sent, recipient=outside)
    with pytest.raises(NotAllowed):
        forward(cast, sent, actor=cast.other_agent)
    assert Message.objects.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.update(template="clients.forward")


def test_what_another_firm_does_with_it_says_nothing_of_the_client(cast, sent):
    set_policies(cast.brand, mail_forward_addresses=[LAWYER])
    Client.objects.filter(pk=cast.client.pk).update(marketing_consent=True)
    row = forward(cast, sent, recipient=Recipient(address=LAWYER, is_confirmed=True), with_files=False)
    outbox.outbox.clear()
    send_now()
    assert outbox.outbox[0].to == [LAWYER] and not outbox.outbox[0].attachments
    assert not note_delivery(row, Report(DeliveryState.OPENED, row.created_at))
    assert not unsubscribe(row.pk)
    assert Client.objects.get(pk=cast.client.pk).marketing_consent
    assert not OutboxEvent.objects.filter(name__icontains="mail_opened").exists()


def test_files_that_are_too_large_together_are_left_out_or_refused(cast, sent):
    sent.attachments.update(size_bytes=11 * 2**20)
    with pytest.raises(DomainError, match="larger than"):
        forward(cast, sent)
    assert forward(cast, sent, with_files=False).forwards_files is False
