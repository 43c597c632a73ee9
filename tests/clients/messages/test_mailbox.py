"""A mailbox is read over a real socket: each e-mail once, within bounds, and what is hostile or too large is noted."""

import pytest

from clients.messages import setup
from clients.messages.reading import read_mail
from clients.models import IncomingMail, Mailbox
from crm import approvals
from crm.choices import Role
from crm.errors import DomainError, NotAllowed
from tests.cast import make_staff
from tests.clients.messages.running import make_mailbox, read_again, running_inbox, write

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 statement"


@pytest.fixture(scope="module")
def server():
    with running_inbox() as (inbox, url):
        yield inbox, url


@pytest.fixture
def inbox(server):
    inbox, _url = server
    inbox.mails.clear()
    inbox.faults.clear()
    return inbox


def test_each_e_mail_is_read_once(cast, server, inbox):
    mailbox = make_mailbox(cast.brand, server[1])
    inbox.put(write("first", files=(("s.pdf", PDF),)))
    inbox.put(write("second"))
    assert read_again(mailbox) and read_again(mailbox)
    assert [row.body["text"].strip() for row in IncomingMail.objects.order_by("pk")] == ["first", "second"]
    inbox.put(write("third"))
    inbox.renumber()  # a server that was restored: everything comes again
    read_again(mailbox)
    assert list(IncomingMail.objects.order_by("pk").values_list("copies", flat=True)) == [1, 1, 0]
    mailbox.refresh_from_db()
    assert (mailbox.last_uid, mailbox.problem) == (3, "")


def test_a_50_mb_attachment_is_refused_with_a_note_and_the_text_is_kept(cast, server, inbox):
    mailbox = make_mailbox(cast.brand, server[1])
    inbox.put(write("Please see attached", files=(("huge.pdf", b"%PDF-" + b"\0" * 50 * 2**20),)))
    inbox.put(write("the next one"))
    read_again(mailbox)
    first, second = IncomingMail.objects.order_by("pk")
    assert first.body["text"].strip() == "Please see attached" and "still in the account" in first.note
    (attachment,) = first.attachments.all()
    assert (attachment.name, attachment.verdict, attachment.store_key) == ("huge.pdf", "too_large", "")
    assert second.body["text"].strip() == "the next one"


@pytest.mark.parametrize(
    ("fault", "problem"),
    [("outage", "can't be reached"), ("refuse", "username and password"), ("lie", "didn't respond")],
)
def test_a_server_that_fails_is_tried_again(cast, server, inbox, fault, problem):
    mailbox = make_mailbox(cast.brand, server[1])
    inbox.put(write("kept"))
    inbox.faults.add(fault)
    assert not read_again(mailbox)
    assert not IncomingMail.objects.exists()
    assert problem in setup.test_mailbox(mailbox_id=mailbox.pk, actor=cast.administrator) or fault == "lie"
    inbox.faults.clear()
    assert read_again(mailbox) and IncomingMail.objects.count() == 1


def _nested(depth: int) -> bytes:
    lines = [b"From: a@example.com", b"Subject: deep"]
    for number in range(depth):
        lines += [b'Content-Type: multipart/mixed; boundary="b%d"' % number, b"", b"--b%d" % number]
    return b"\r\n".join([*lines, b"", b"x"])


@pytest.mark.parametrize(
    ("raw", "note"),
    [
        (_nested(40), "too_deep"),
        (_nested(3_000), "couldn't be read"),
        (
            b"From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 300,
            "too_many_parts",
        ),
        (b"", ""),
        (b"\x00\xff\xfe" * 1000, ""),
        (b"From: =?utf-8?q?=FF=FE?= <a@b@c>, <x>\r\nDate: nonsense\r\nSubject: \r\n =?x?y?z?=\r\n\r\nhi", ""),
        (b"Content-Type: text/plain; charset=nonsense\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!", ""),
    ],
)
def test_what_is_hostile_is_kept_and_noted(raw, note):
    read = read_mail(raw)
    assert note in read.note
    assert not note or read.attachments[0].name == "message.eml"


def test_html_is_cleaned_and_loads_nothing():
    html = (
        '<style>p{}</style><script>x()</script><img src="https://t.example/pixel.gif" onerror="x()">'
        '<p onclick="x()" style="position:fixed">Hi <a href="javascript:x()">a</a> <a href="https://ok.example">b</a></p>'
        '<form action="https://e.example"><input name="password"></form><iframe src="https://e.example"></iframe>'
    )
    read = read_mail(write("", html=html))
    for bad in ("script", "img", "style", "onclick", "javascript", "form", "input", "iframe", "pixel"):
        assert bad not in read.html
    assert 'href="https://ok.example"' in read.html and 'rel="noopener noreferrer nofollow"' in read.html


def test_attachments_are_taken_by_their_content():
    files = (
        ("a.pdf", PDF),
        ("invoice.pdf.exe", b"MZ\x90"),
        ("page.txt", b"<html><script>"),
        ("../../x.csv", b"a,b\n1,2"),
    )
    read = read_mail(write("Files", files=files))
    assert [(one.name, one.verdict, one.content) for one in read.attachments] == [
        ("a.pdf", "kept", PDF),
        ("invoice.pdf.exe", "not_taken", b""),
        ("page.txt", "not_taken", b""),
        ("x.csv", "kept", b"a,b\n1,2"),
    ]
    many = read_mail(write("Many", files=tuple((f"{n}.pdf", PDF + bytes([n])) for n in range(25))))
    assert [one.verdict for one in many.attachments].count("too_many") == 5


def _setup(**fields) -> setup.MailboxSetup:
    values = {
        "adapter": "imap",
        "code": "mail",
        "name": "Support",
        "base_url": "sandbox:",
        "address": "support@meridian.example",
        "auth_server": "mx.meridian.example",
        "is_enabled": True,
        "keys": {"username": "u", "password": "secret-password"},
    }
    return setup.MailboxSetup(**{**values, **fields})


def test_two_people_set_a_mailbox_up_and_its_password_is_sealed(cast):
    wanted = setup.propose_mailbox(brand_id=cast.brand.pk, setup=_setup(), actor=cast.administrator, reason="New")
    second = make_staff("second.admin@keelson.example", Role.ADMINISTRATOR, brand=cast.brand)
    approvals.approve(type(wanted), wanted.pk, actor=second)
    mailbox = Mailbox.objects.get()
    assert mailbox.credentials["password"] == "secret-password"
    assert b"secret-password" not in bytes(mailbox.sealed_credentials)
    with pytest.raises(NotAllowed):
        setup.test_mailbox(mailbox_id=mailbox.pk, actor=cast.agent)


@pytest.mark.parametrize(
    "fields", [{"address": "x"}, {"address": "a+b@c.example"}, {"base_url": ""}, {"base_url": "https://x.example"}]
)
def test_what_is_no_mailbox_is_refused(cast, fields):
    with pytest.raises(DomainError):
        setup.propose_mailbox(brand_id=cast.brand.pk, setup=_setup(**fields), actor=cast.administrator, reason="x")
