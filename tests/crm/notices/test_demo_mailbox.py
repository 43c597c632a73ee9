"""The demo's mailbox shows letters as their readers would see them, without letting them run anything."""

import re

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox(settings, tmp_path):
    settings.DEMO, settings.EMAIL_FILE_PATH = True, str(tmp_path)
    letter = EmailMultiAlternatives("Welcome", "Plain words", "a@x.example", ["b@y.example"])
    letter.attach_alternative("<h1 style='color:red'>Rich words</h1><script>alert(1)</script>", "text/html")
    letter.connection = get_connection("django.core.mail.backends.filebased.EmailBackend", file_path=str(tmp_path))
    letter.send()


def test_a_letters_html_part_is_shown_in_a_sandbox(client, mailbox):
    page = client.get("/demo/mail/").content.decode()
    frame = re.search(r'<iframe[^>]+src="([^"]+)"[^>]+sandbox="allow-popups"', page)
    assert frame is not None and "Plain words" in page and "Rich words" not in page
    answer = client.get(frame[1])
    policy = answer["Content-Security-Policy"]
    assert "Rich words" in answer.content.decode()
    assert "sandbox allow-popups" in policy and "default-src 'none'" in policy and "script-src" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


def test_there_is_no_letter_outside_of_a_demo(client, mailbox, settings):
    page = client.get("/demo/mail/").content.decode()
    address = re.search(r'src="(/demo/mail/[^"]+)"', page)[1]
    settings.DEMO = False
    assert client.get(address).status_code == 404 and client.get("/demo/mail/").status_code == 404
    settings.DEMO = True
    assert client.get("/demo/mail/nonsense/").status_code == 404
