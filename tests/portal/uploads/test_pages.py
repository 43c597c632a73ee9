"""The guided upload's pages: choosing, steps, the script's protocol, the phone's page, and who gets nowhere."""

import pytest
from django.test import Client as Browser

from crm.models import User
from kyc import incoming
from kyc.models import Document, IncomingFile, UploadPage
from kyc.reviews import reject
from tests.cast import signed_in
from tests.kyc.factories import bill_pdf, claimed, let_settle, passport_jpeg, registered
from tests.portal.uploads.sending import begin, send

pytestmark = pytest.mark.django_db
XHR = {"x-requested-with": "XMLHttpRequest"}


@pytest.fixture
def browser(cast):
    registered(cast.client)
    return signed_in(cast.client_user)


def announce(browser, home, content, **more):
    fields = {"side": "front", "name": "scan.jpg", "size": len(content), **more}
    return browser.post(f"{home}/pages/", fields, content_type="application/json", headers=XHR)


def patch(browser, url, content, offset):
    headers = {**XHR, "upload-offset": str(offset)}
    return browser.patch(url, content, content_type="application/partial-upload", headers=headers)


def test_the_steps_without_a_script(cast, browser):
    page = browser.get("/portal/documents/upload/identity/").content.decode()
    assert "Which document do you have at hand?" in page and '<option value="DE" selected>' in page
    draft = begin(browser, "id_card")
    home = f"/portal/documents/uploads/{draft.pk}"
    page = browser.get(f"{home}/").content.decode()
    assert "Identity card: Front" in page and "All four corners in the picture" in page
    assert "Identity card: Front" in browser.get(f"{home}/?step=check").content.decode()  # nothing to check yet
    added = browser.post(f"{home}/pages/", {"side": "front", "file": _file(passport_jpeg())})
    assert added["Location"] == f"{home}/?step=front"
    page = browser.get(added["Location"]).content.decode()
    assert "passport.jpg" in page and f'href="{home}/?step=back"' in page
    shown = browser.get(f"{home}/pages/{draft.pages.get().pk}/preview/")
    assert shown["Content-Type"] == "image/jpeg" and len(shown.content) < 60_000
    refused = browser.post(f"{home}/send/", follow=True).content.decode()
    assert "Still missing: Back." in refused and not IncomingFile.objects.exists()
    browser.post(f"{home}/pages/{draft.pages.get().pk}/change/", {"act": "remove"})
    assert not draft.pages.exists()
    assert browser.post(f"{home}/discard/")["Location"] == "/portal/documents/"
    assert browser.get(f"{home}/")["Location"] == "/portal/documents/"


def _file(content, name="passport.jpg"):
    from tests.kyc.factories import file_of

    return file_of(content, name)


def test_the_script_goes_on_after_a_lost_answer(cast, browser):
    content = passport_jpeg()
    home = f"/portal/documents/uploads/{begin(browser).pk}"
    begun = announce(browser, home, content).json()
    assert begun["offset"] == 0
    first = patch(browser, begun["url"], content[:70_000], 0)
    assert (first.status_code, first["Upload-Offset"], first["Upload-Complete"]) == (204, "70000", "?0")
    again = patch(browser, begun["url"], content[:70_000], 0)
    assert (again.status_code, again["Upload-Offset"]) == (409, "70000")
    assert browser.head(begun["url"])["Upload-Offset"] == "70000"
    assert "Interrupted at" in browser.get(f"{home}/").content.decode()
    assert patch(browser, begun["url"], content[70_000:], 70_000)["Upload-Complete"] == "?1"
    # No document: refused with its first part, and out of the way.
    browser.post(f"{home}/pages/{begun['id']}/change/", {"act": "remove"})
    begun = announce(browser, home, b"MZ" + bytes(90_000)).json()
    answer = patch(browser, begun["url"], b"MZ" + bytes(68_000), 0)
    assert answer.status_code == 422 and "isn't supported" in answer.json()["message"]
    assert not UploadPage.objects.exists()
    for body in ({"side": "front"}, {"side": "x", "size": 9}, {"side": "front", "size": True}, []):
        assert browser.post(f"{home}/pages/", body, content_type="application/json").status_code == 404
    assert announce(browser, home, b"").json()["message"].startswith("The file is empty")
    assert announce(browser, home, range(10**9)).status_code == 422


def test_a_draft_of_another_client_is_not_found(cast, browser):
    draft = begin(browser)
    added = browser.post(f"/portal/documents/uploads/{draft.pk}/pages/", {"side": "front", "file": _file(bill_pdf())})
    assert added.status_code == 302
    page, other = draft.pages.get(), signed_in(cast.other_client_user)
    home = f"/portal/documents/uploads/{draft.pk}"
    assert other.get(f"{home}/").status_code == 404
    for path in ("pages/", f"pages/{page.pk}/change/", "send/", "discard/", "phone/"):
        assert other.post(f"{home}/{path}", {"act": "remove"}).status_code == 404
    assert other.get(f"{home}/pages/{page.pk}/preview/").status_code == 404
    assert patch(other, f"{home}/pages/{page.pk}/", b"x", 0).status_code == 404
    assert draft.pages.exists() and Browser().get(f"{home}/").status_code == 302


def test_after_a_rejection_the_flaw_type_and_country_are_there(cast, browser):
    send(browser, passport_jpeg(), "residence_permit")  # one side is enough to see the country kept
    document = claimed(cast.client, cast.kyc_officer, kind="driving_licence")
    Document.objects.filter(pk=document.pk).update(declared_country="FR")
    flaw = "Part of it is cut off. Show all four corners."
    reject(document_id=document.pk, actor=cast.kyc_officer, reason_code="cut_off", reason=flaw)
    let_settle()
    page = browser.get("/portal/documents/upload/identity/").content.decode()
    assert flaw in page and 'value="driving_licence" checked' in page and '<option value="FR" selected>' in page
    User.objects.filter(pk=cast.client_user.pk).update(language="de")
    page = browser.get("/portal/documents/upload/identity/").content.decode()
    assert "Welches Dokument haben Sie zur Hand?" in page


def test_a_phone_adds_to_its_document_and_to_nothing_else(cast, browser):
    draft, phone = begin(browser), Browser()
    home = f"/portal/documents/uploads/{draft.pk}"
    page = browser.post(f"{home}/phone/").content.decode()
    address = page.partition('data-code-url="http://testserver')[2].partition('"')[0]
    assert address.startswith("/b/meridian/upload/") and "Weber" not in phone.get(address).content.decode()
    assert phone.get("/b/meridian/upload/").status_code == 410
    cookie = phone.post(address).cookies["upload-handover"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/b/meridian/"
    assert "already used" in Browser().post(address).content.decode()
    shown = phone.get("/b/meridian/upload/").content.decode()
    assert "Photo page" in shown and "Weber" not in shown and cast.client.email not in shown
    large = passport_jpeg() + bytes(300_000)  # more than a stranger may send
    begun = announce(phone, "/b/meridian/upload", large).json()
    assert patch(phone, begun["url"], large, 0)["Upload-Complete"] == "?1"
    assert patch(Browser(), begun["url"], large, 0).status_code in (410, 413)
    assert browser.get(f"{home}/").content.decode().count("from your phone") == 1
    assert phone.get("/portal/documents/").status_code == 302  # no sign-in came with it
    assert "Document sent" in phone.post("/b/meridian/upload/send/", follow=True).content.decode()
    assert patch(phone, begun["url"], b"x", 0).status_code == 410
    refreshed = browser.get(f"{home}/?step=front", headers={"HX-Request": "true"})
    assert refreshed["HX-Redirect"] == "/portal/documents/"
    assert incoming.take_in_due() == 1 and Document.objects.get().uploaded_by == cast.client_user
