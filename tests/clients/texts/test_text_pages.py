"""The pages of a brand's texts: list, editor with preview, versions, and a test e-mail to oneself."""

import pytest
from django.core import mail as outbox

from clients.texts.preview import TESTS_PER_HOUR
from crm.models import AccessEvent, AuditEvent, OutgoingMail, TextDraft, TextProposal, TextVersion
from crm.notices import mail
from tests.texts import set_text

pytestmark = pytest.mark.django_db
LETTER, TERMS = "kyc.verified", "portal.terms"
LINK = "leads.registration_link"


def address(cast, key=LETTER, part="", language="en"):
    return f"/texts/{cast.brand.pk}/{key}/{part}?language={language}"


def post(browser, cast, key=LETTER, action="save", part="", **fields):
    given = {"heading": "Hello", "body": "Hello {{ first_name }}", "action": action, **fields}
    return browser.post(address(cast, key, part), given)


def frame_of(browser, answer):
    token = answer.content.decode().split("/texts/preview/")[1].split("/")[0]
    return browser.get(f"/texts/preview/{token}/")


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_shows_each_text_with_its_languages(cast, browse):
    set_text(cast.brand, LETTER, "Own", "x", "de")
    page = browse(cast.marketing).get(f"/texts/{cast.brand.pk}/").content.decode()
    assert "Identity confirmed" in page and "German: Version 1" in page and "English: Built-in" in page
    assert "Terms of business" in page and "Risk warning" in page
    assert browse(cast.marketing).get("/texts/")["Location"] == f"/texts/{cast.brand.pk}/"


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("kind=agreement", "Terms of business", "Identity confirmed"),
        ("state=own", "Identity confirmed", "Terms of business"),
        ("state=draft", "Margin call", "Identity confirmed"),
        ("state=waiting", "Terms of business", "Margin call"),
        ("state=missing&language=es", "Identity confirmed", "nothing"),
        ("language=es", "Identity confirmed", "nothing"),
        ("q=margin", "Margin call", "Identity confirmed"),
        ("state=default&kind=letter&q=confirmed&language=en", "No text found", "Margin call"),
        ("kind=%3Cscript%3E&state=x&language=zz", "No text found", "<script>alert"),
    ],
)
def test_the_list_is_filtered(cast, browse, query, shown, hidden):
    cast.brand.languages = ["en", "de", "es"]
    cast.brand.save()
    set_text(cast.brand, LETTER, "Own", "x")
    post(browse(cast.marketing), cast, "trading.margin_call")
    post(browse(cast.mlro), cast, TERMS, "publish", body="Ours", reason="x")
    page = browse(cast.marketing).get(f"/texts/{cast.brand.pk}/?{query}").content.decode()
    assert shown in page and hidden not in page


def test_the_list_takes_few_queries_however_many_texts(cast, browse, django_assert_max_num_queries):
    set_text(cast.brand, LETTER, "Own", "x")
    browser = browse(cast.marketing)
    browser.get(f"/texts/{cast.brand.pk}/")
    with django_assert_max_num_queries(20):
        browser.get(f"/texts/{cast.brand.pk}/")


@pytest.mark.parametrize("who", ["agent", "desk_head", "finance", "support", "auditor", "kyc_officer"])
def test_other_roles_find_no_texts(cast, browse, who):
    for path in (f"/texts/{cast.brand.pk}/", address(cast), address(cast, part="versions/1/")):
        assert browse(getattr(cast, who)).get(path).status_code in (403, 404), path


def test_another_brand_and_unknown_texts_are_not_there(cast, browse):
    browser = browse(cast.marketing)
    for path in (
        f"/texts/{cast.other_brand.pk}/",
        f"/texts/{cast.other_brand.pk}/{LETTER}/",
        f"/texts/{cast.brand.pk}/no.such/",
        address(cast, language="xx"),
        address(cast, part="versions/7/"),
        address(cast, part="versions/1/"),
    ):
        assert browser.get(path).status_code == 404, path
    assert post(browser, cast, action="no such").status_code == 404


# ── the editor ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_email_is_drafted_and_published(cast, browse):
    browser = browse(cast.marketing)
    assert post(browser, cast, body="Half a {{ sent").status_code == 302
    page = browser.get(address(cast)).content.decode()
    assert "Half a {{ sent" in page and "Draft by Marketing Tester" in page and "isn&#x27;t a variable" in page
    assert post(browser, cast, action="publish", reason="Friendlier").status_code == 302
    assert not TextDraft.objects.exists() and TextVersion.objects.get().body == "Hello {{ first_name }}"
    assert "Version 1 is in force" in browser.get(address(cast)).content.decode()
    assert post(browser, cast, action="default", reason="Back").status_code == 302
    assert "The built-in text is in force" in browser.get(address(cast)).content.decode()


def test_terms_are_proposed_with_the_wish_to_ask_again(cast, browse):
    given = {"body": "Ours", "reason": "New law", "must_accept": "on", "effective_at": "2999-01-01T00:00"}
    assert "at most a year ahead" in post(browse(cast.mlro), cast, TERMS, "publish", **given).content.decode()
    del given["effective_at"]
    assert post(browse(cast.mlro), cast, TERMS, "publish", **given).status_code == 302
    proposal = TextProposal.objects.get()
    assert proposal.must_accept and not TextVersion.objects.exists()
    page = browse(cast.administrator).get(f"/approvals/text/{proposal.pk}/").content.decode()
    assert "Ours" in page and "Clients must accept it again" in page
    link = f"/texts/{cast.brand.pk}/{TERMS}/proposals/{proposal.pk}/?language=en"
    assert link in browse(cast.mlro).get(address(cast, TERMS)).content.decode()
    page = browse(cast.administrator).get(link).content.decode()
    assert 'class="added"' in page and "approve" in page and "New law" in page
    assert browse(cast.agent).get(link).status_code == 403
    assert browse(cast.administrator).get(link.replace(TERMS, LETTER)).status_code == 404


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"body": "{{ frist_name }}"}, "Did you mean “first_name”?"),
        ({"heading": "Hi\nBcc: x@y.example"}, "without line breaks"),
        ({"reason": ""}, "This field is required"),
        ({"effective_at": "yesterday"}, "valid date"),
        ({"body": "x" * 20_001}, "1 character too long"),
        ({"body": "a\x00b"}, "Null characters"),
    ],
)
def test_bad_input_is_named_and_nothing_typed_is_lost(cast, browse, fields, words):
    answer = post(browse(cast.marketing), cast, action="publish", **{"reason": "Kept reason", **fields})
    page = answer.content.decode()
    assert answer.status_code == 422 and words in page
    assert fields.get("body", "Hello {{ first_name }}").replace("\x00", "")[:20] in page or "\x00" in fields.get(
        "body", ""
    )
    assert "Kept reason" in page or "reason" in fields
    assert not TextVersion.objects.exists()


def test_a_secret_link_cannot_be_left_out(cast, browse):
    answer = post(browse(cast.marketing), cast, LINK, "publish", reason="x")
    assert answer.status_code == 422 and "The text must contain {{ link }}" in answer.content.decode()


def test_marketing_reads_terms_but_changes_nothing(cast, browse):
    page = browse(cast.marketing).get(address(cast, TERMS))
    assert page.status_code == 200 and 'value="publish"' not in page.content.decode()
    assert post(browse(cast.marketing), cast, TERMS, "publish", body="Ours", reason="x").status_code == 403
    assert not TextProposal.objects.exists()


# ── the preview ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_preview_is_the_email_with_example_values(cast, browse):
    browser = browse(cast.marketing)
    answer = post(browser, cast, part="preview/", body="Hello {{ first_name }}\n\n[Open]({{ portal_url }})")
    frame = frame_of(browser, answer)
    page = frame.content.decode()
    assert "Hello Clara" in page and "/portal/" in page and cast.brand.colour in page
    assert "sandbox" in frame["Content-Security-Policy"] and frame["X-Frame-Options"] == "SAMEORIGIN"
    assert "Open:\n" in answer.content.decode()
    assert not TextDraft.objects.exists()


def test_the_preview_of_a_secret_is_an_example(cast, browse):
    browser = browse(cast.marketing)
    frame = frame_of(browser, post(browser, cast, LINK, part="preview/", body="[Go]({{ link }})"))
    assert "https://portal.example/register/example" in frame.content.decode()


def test_markup_is_shown_as_text(cast, browse):
    browser = browse(cast.marketing)
    evil = "<script>alert(1)</script>"
    answer = post(browser, cast, part="preview/", heading=evil, body=evil)
    assert evil not in answer.content.decode() and evil not in frame_of(browser, answer).content.decode()
    answer = post(browse(cast.mlro), cast, TERMS, part="preview/", heading=evil, body=evil)
    assert evil not in frame_of(browse(cast.mlro), answer).content.decode()


def test_a_chosen_client_is_filled_in_and_logged_once(cast, browse):
    browser = browse(cast.administrator)
    for _turn in range(2):
        answer = post(browser, cast, part="preview/", client=cast.client.pk, body="Dear {{ full_name }}")
        assert "Dear Clara Weber" in frame_of(browser, answer).content.decode()
    seen = AccessEvent.objects.filter(client_id=cast.client.pk, user_id=cast.administrator.pk, target="texts.preview")
    assert seen.count() == 1


def test_a_client_out_of_reach_is_not_there(cast, browse):
    foreign = cast.other_client
    foreign.brand, foreign.book = cast.other_brand, foreign.book
    for pk in (10**9, 0, "x"):
        answer = post(browse(cast.administrator), cast, part="preview/", client=pk)
        assert answer.status_code == 200 and "Clara Weber" not in answer.content.decode()
    answer = post(browse(cast.administrator), cast, part="preview/", client=10**9)
    assert "no such client" in answer.content.decode()


def test_a_preview_is_its_makers_alone_and_expires(cast, browse):
    browser = browse(cast.marketing)
    answer = post(browser, cast, part="preview/")
    token = answer.content.decode().split("/texts/preview/")[1].split("/")[0]
    assert browse(cast.administrator).get(f"/texts/preview/{token}/").status_code == 404
    assert browser.get("/texts/preview/no-such/").status_code == 404
    assert browser.get(address(cast, part="preview/")).status_code == 405


# ── versions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_versions_are_compared_and_restored(cast, browse):
    browser = browse(cast.marketing)
    for body in ("one\n\nshared", "two\n\nshared"):
        post(browser, cast, action="publish", body=body, reason="x")
    page = browser.get(address(cast, part="versions/2/")).content.decode()
    assert 'class="removed"' in page and "one" in page and 'class="added"' in page
    page = browser.get(address(cast, part="versions/1/") + "&with=default").content.decode()
    assert "thank you for your documents" in page
    for other in ("99", "x", "9" * 30, "<script>"):
        assert browser.get(address(cast, part="versions/1/") + f"&with={other}").status_code == 200
    assert browser.post(address(cast, part="versions/1/"), {"reason": ""}).status_code == 422
    assert browser.post(address(cast, part="versions/1/"), {"reason": "Better"}).status_code == 302
    newest = TextVersion.objects.order_by("-number").first()
    assert (newest.number, newest.body, newest.reason) == (3, "one\n\nshared", "Better")


def test_texts_too_long_to_compare_are_still_shown(cast, browse):
    set_text(cast.brand, LETTER, "Hello", "\n".join(["x"] * 3000))
    page = browse(cast.marketing).get(address(cast, part="versions/1/")).content.decode()
    assert "too long to compare" in page


# ── a test e-mail ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_test_goes_to_oneself_marked_and_without_secrets(cast, browse):
    outbox.outbox.clear()
    answer = post(browse(cast.marketing), cast, LINK, "test", body="{{ first_name }}\n\n[Go]({{ link }})")
    assert answer.status_code == 200 and "[Go]({{ link }})" in answer.content.decode()
    mail.deliver_due()
    sent = outbox.outbox[-1]
    assert sent.to == [cast.marketing.email] and sent.subject == "[Test] Hello"
    assert "https://portal.example/register/example" in sent.body and cast.brand.colour in sent.alternatives[0][0]
    row = AuditEvent.objects.get(action="crm.text_tested")
    assert (row.actor, row.client_id) == (cast.marketing, None)


def test_tests_are_bounded_per_hour(cast, browse):
    browser = browse(cast.marketing)
    for _turn in range(TESTS_PER_HOUR):
        assert post(browser, cast, action="test").status_code == 200
    assert "test e-mails this hour" in post(browser, cast, action="test").content.decode()
    assert OutgoingMail.objects.filter(kind="texts.test").count() == TESTS_PER_HOUR
    assert "Test e-mail sent" in post(browse(cast.administrator), cast, action="test").content.decode()


def test_a_bad_text_or_a_legal_one_is_not_sent(cast, browse):
    assert post(browse(cast.marketing), cast, action="test", body="{{ x").status_code == 422
    answer = post(browse(cast.mlro), cast, TERMS, "test", body="Ours")
    assert "Only e-mails" in answer.content.decode()
    assert not OutgoingMail.objects.filter(kind="texts.test").exists()


# ── two at once ─────────────────────────────────────────────────────────────────────────────────────────────────────


def opened(browser, cast):
    """Open the editor and return the revision of the draft that its form carries."""
    page = browser.get(address(cast)).content.decode()
    return page.partition('name="based_on" value="')[2].partition('"')[0]


def test_the_second_writer_sees_both_texts_and_loses_nothing(cast, browse):
    mine, colleague = browse(cast.marketing), browse(cast.administrator)
    revision = opened(mine, cast)
    assert revision == "" == opened(colleague, cast)
    assert post(colleague, cast, action="save", body="Theirs", based_on=revision).status_code == 302
    refused = post(mine, cast, action="save", body="Mine", based_on=revision)
    page = refused.content.decode()
    assert refused.status_code == 422 and "Draft changed since you opened it" in page
    assert '<pre class="k-code" tabindex="0" lang="en">Theirs</pre>' in page and "Mine</textarea>" in page
    assert TextDraft.objects.get().body == "Theirs"
    shown = page.partition('name="based_on" value="')[2].partition('"')[0]
    assert post(mine, cast, action="save", body="Mine", based_on=shown).status_code == 302
    assert TextDraft.objects.get().body == "Mine"


@pytest.mark.parametrize("action", ["publish", "discard", "default"])
def test_no_button_drops_what_a_colleague_saved_meanwhile(cast, browse, action):
    set_text(cast.brand, LETTER, "Own", "x")
    mine, colleague = browse(cast.marketing), browse(cast.administrator)
    revision = opened(mine, cast)
    post(colleague, cast, action="save", body="Theirs", based_on=revision)
    refused = post(mine, cast, action=action, body="Hello {{ first_name }}", reason="New", based_on=revision)
    assert refused.status_code == 422 and TextDraft.objects.get().body == "Theirs"
    assert TextVersion.objects.count() == 1


def test_a_draft_that_was_published_meanwhile_is_named(cast, browse):
    mine, colleague = browse(cast.marketing), browse(cast.administrator)
    post(mine, cast, action="save", body="Hello {{ first_name }}")
    revision = opened(mine, cast)
    post(colleague, cast, action="publish", body="Hello {{ first_name }}", reason="Done", based_on=revision)
    page = post(mine, cast, action="save", body="Mine", based_on=revision).content.decode()
    assert "Draft published or discarded since you opened it" in page and "Mine</textarea>" in page
    assert not TextDraft.objects.exists()
