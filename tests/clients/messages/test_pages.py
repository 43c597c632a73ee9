"""Threads, attachments and the queue as people see them: only what they reach, each view logged, few queries."""

import pytest

from clients.models import IncomingMail, Suppression
from crm.models import AccessEvent
from tests.cast import signed_in
from tests.clients.messages.running import take, write

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 statement"


def test_a_thread_with_its_files_is_for_who_reaches_the_client(cast, mailbox, django_assert_max_num_queries):
    raw = write("See my statement", html="<p>See <b>my</b></p>", files=(("s.pdf", PDF), ("x.exe", b"MZ")), proved=True)
    mail = take(cast.brand, raw, mailbox)
    address = f"/mail/threads/{mail.thread_id}/"
    browser = signed_in(cast.agent)
    browser.get(address)
    with django_assert_max_num_queries(16):
        page = browser.get(address).content.decode()
    assert "See my statement" in page and "s.pdf" in page and "File type not accepted" in page
    assert "clara@example.com" not in page  # who sells sees addresses masked
    assert AccessEvent.objects.filter(user=cast.agent, target=f"clients.mailthread:{mail.thread_id}").count() == 2
    kept = mail.attachments.get(name="s.pdf")
    answer = browser.get(f"/mail/attachments/{kept.pk}/")
    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Type"] == "application/octet-stream" and "attachment" in answer["Content-Disposition"]
    assert AccessEvent.objects.get(target=f"clients.mailattachment:{kept.pk}").client_id == cast.client.pk
    frame = browser.get(f"/mail/incoming/{mail.pk}/frame/")
    assert "default-src 'none'" in frame["Content-Security-Policy"] and "<b>my</b>" in frame.content.decode()
    assert "Question" in browser.get(f"/clients/{cast.client.pk}/tab/mail/").content.decode()
    assert "Awaiting reply" in browser.get("/mail/threads/").content.decode()
    browser.post(f"{address}close/")
    other = signed_in(cast.other_agent)
    for path in (
        address,
        f"/mail/attachments/{kept.pk}/",
        f"/mail/incoming/{mail.pk}/",
        f"/mail/incoming/{mail.pk}/frame/",
    ):
        assert other.get(path).status_code == 404


def test_a_reply_is_written_in_its_thread(cast, mailbox):
    mail = take(cast.brand, write(proved=True, message_id="<a@example.com>"), mailbox)
    browser, address = signed_in(cast.agent), f"/clients/{cast.client.pk}/mail/?thread={mail.thread_id}"
    assert "Re: Question" in browser.get(address).content.decode()
    done = browser.post(address, {"template": "clients.free_text", "subject": "Re: Question", "message": "Yes"})
    assert done.headers["Location"] == f"/mail/threads/{mail.thread_id}/"
    (sent,) = mail.thread.sent.all()
    assert (sent.answers, sent.sender) == (mail, cast.agent)
    assert browser.get(f"/clients/{cast.client.pk}/mail/?thread=999999").status_code == 404


def test_the_queue_is_worked_by_who_assigns(cast, mailbox, django_assert_max_num_queries):
    for number in range(4):
        take(cast.brand, write(f"Hello {number}", files=(("s.pdf", PDF),)), mailbox)
    mail = IncomingMail.objects.first()
    browser = signed_in(cast.support)
    browser.get("/mail/unassigned/")
    with django_assert_max_num_queries(14):
        assert "Sender not proved" in browser.get("/mail/unassigned/").content.decode()
    page = browser.get(f"/mail/incoming/{mail.pk}/?q=Weber").content.decode()
    assert "Assign to Clara Weber" in page and "nothing proves" in page
    assert signed_in(cast.agent).get("/mail/unassigned/").status_code == 403
    assert signed_in(cast.agent).get(f"/mail/incoming/{mail.pk}/").status_code == 404
    done = browser.post(f"/mail/incoming/{mail.pk}/assign/{cast.client.pk}/")
    mail.refresh_from_db()
    assert done.headers["Location"] == f"/mail/threads/{mail.thread_id}/" and mail.client == cast.client
    other = IncomingMail.objects.filter(state="unassigned").first()
    browser.post(f"/mail/incoming/{other.pk}/discard/", {"reason": "Spam"})
    assert "Spam" in browser.get(f"/mail/incoming/{other.pk}/").content.decode()
    browser.post(f"/mail/incoming/{other.pk}/discard/")
    other.refresh_from_db()
    assert other.state == "unassigned"


def test_the_suppression_list_is_kept_by_people(cast):
    browser = signed_in(cast.mlro)
    entered = {"brand": cast.brand.pk, "address": "Rude@example.com", "reason": "Court order"}
    browser.post("/mail/suppressions/new/", entered)
    assert browser.post("/mail/suppressions/new/", entered).status_code == 422
    row = Suppression.objects.get()
    assert (row.address, row.added_by) == ("rude@example.com", cast.mlro)
    assert "rude@example.com" in browser.get("/mail/suppressions/").content.decode()
    browser.post(f"/mail/suppressions/{row.pk}/", {"reason": "Lifted by the court"})
    row.refresh_from_db()
    assert (row.lifted_by, row.lift_reason) == (cast.mlro, "Lifted by the court")
    assert signed_in(cast.support).get("/mail/suppressions/").status_code == 403


def test_mailboxes_are_listed(cast, mailbox):
    page = signed_in(cast.administrator).get("/mail/mailboxes/").content.decode()
    assert "support@meridian.example" in page and "mx.meridian.example" in page
    assert signed_in(cast.administrator).get(f"/mail/mailboxes/{mailbox.pk}/").status_code == 200
