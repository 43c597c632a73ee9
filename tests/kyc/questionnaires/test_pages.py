"""The builder, the preview, the client's section on staff pages and answering in the portal."""

import pytest
from django.urls import reverse

from crm.models import AccessEvent
from kyc.questionnaires import drafts
from kyc.questionnaires.models import AnswersDraft, Submission, WarningAcknowledgement
from tests.kyc.questionnaires.factories import BEST, WORST, answer, drafted, published

pytestmark = pytest.mark.django_db
QUERIES_OF_A_FRAME = 34


def form_of(answers):
    data = {}
    for name, value in answers.items():
        data[f"q_{name}"] = value
    return data


@pytest.fixture
def portal(cast, browse):
    return browse(cast.client_user)


@pytest.fixture
def officer(cast, browse):
    return browse(cast.mlro)


# ── portal ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_client_answers_step_by_step(cast, portal):
    made = published(cast)
    url = reverse("portal_questionnaire", args=[made.pk])
    assert "Questions to answer" in portal.get(reverse("portal")).content.decode()
    page = portal.get(url).content.decode()
    assert "Step 1 of 5" in page
    wrong = portal.post(f"{url}?step=0", {"q_q1": "c1"})
    assert wrong.status_code == 422
    assert "Choose an answer." in wrong.content.decode()
    assert AnswersDraft.objects.get().answers == {"q1": "c1"}
    for step, names in enumerate(
        (("q1", "q2"), ("q3", "q4", "q5", "q6"), ("q7", "q8", "q9"), ("q10", "q11", "q12", "q13"))
    ):
        sent = portal.post(f"{url}?step={step}", form_of({name: WORST[name] for name in names if name in WORST}))
        assert sent["Location"] == f"{url}?step={step + 1}"
    back = portal.post(f"{url}?step=3", {"q_q10": "c1", "back": "1"})
    assert back["Location"] == f"{url}?step=2"
    assert AnswersDraft.objects.get().answers["q10"] == "c1"
    assert "q11" not in AnswersDraft.objects.get().answers
    portal.post(f"{url}?step=3", form_of({name: WORST[name] for name in ("q10", "q11", "q12", "q13")}))
    last = portal.get(f"{url}?step=4").content.decode()
    assert "Check your answers" in last
    version = made.versions.get()
    done = portal.post(f"{url}?step=4", {"version": version.pk})
    given = Submission.objects.get()
    assert done["Location"] == reverse("portal_answers", args=[given.pk])
    result = portal.get(done["Location"]).content.decode()
    assert "not appropriate for you" in result
    sha = result.partition('name="sha256" value="')[2][:64]
    portal.post(done["Location"], {"sha256": sha})
    assert not WarningAcknowledgement.objects.exists()
    portal.post(done["Location"], {"sha256": sha, "read": "on"})
    assert WarningAcknowledgement.objects.get().submission == given
    assert portal.get(url)["Location"] == done["Location"]


def test_what_is_typed_is_saved_and_asks_more(cast, portal):
    made = published(cast)
    url = reverse("portal_questionnaire_save", args=[made.pk])
    htmx = {"HX-Request": "true", "HX-Request-Type": "partial"}
    same = portal.post(f"{url}?step=1", {"q_q6": "yes", "shown": "q3 q6"}, headers=htmx)
    assert same.status_code == 204
    more = portal.post(f"{url}?step=1", {"q_q3": ["c3"], "q_q6": "yes", "shown": "q3 q6"}, headers=htmx)
    assert more.status_code == 200
    assert "How many CFD" in more.content.decode()
    assert AnswersDraft.objects.get().answers == {"q3": ["c3"], "q6": "yes"}


def test_tax_residences_are_checked_at_their_field(cast, portal):
    made = published(cast, "tax")
    url = reverse("portal_questionnaire", args=[made.pk])
    portal.post(f"{url}?step=0", {"q_q1": "no", "q_q2": "no"})
    row = {"q_q4-0-country": "DE", "q_q4-0-tin": "36574261808"}
    wrong = portal.post(f"{url}?step=1", row)
    assert wrong.status_code == 422
    assert "valid tax number of Germany" in wrong.content.decode()
    assert 'value="36574261808"' in wrong.content.decode()
    good = portal.post(f"{url}?step=1", {**row, "q_q4-0-tin": "36574261809"})
    assert good.status_code == 302


def test_other_clients_answers_are_not_found(cast, browse):
    given = answer(cast.client, published(cast), BEST)
    other = browse(cast.other_client_user)
    assert other.get(reverse("portal_answers", args=[given.pk])).status_code == 404


@pytest.mark.parametrize("data", [{"q_q1": "x" * 9_000}, {"q_q1": ["c1", "c2"]}, {"q_q1": "\x00"}, {"step": "²"}])
def test_strange_input_is_refused_in_words(cast, portal, data):
    made = published(cast)
    url = reverse("portal_questionnaire", args=[made.pk])
    assert portal.post(f"{url}?step=²", data).status_code == 422
    assert portal.get(f"{url}?step={'9' * 400}").status_code == 200


def test_german_client_reads_german(cast, browse):
    cast.client_user.language = "de"
    cast.client_user.save(update_fields=["language"])
    made = published(cast)
    page = browse(cast.client_user).get(reverse("portal_questionnaire", args=[made.pk])).content.decode()
    assert "Was ist Ihr höchster Bildungsabschluss?" in page


# ── staff ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_reading_answers_is_logged_and_for_officers(cast, officer, browse):
    given = answer(cast.client, published(cast), WORST)
    page = officer.get(given.get_absolute_url())
    assert "Not appropriate" in page.content.decode()
    assert AccessEvent.objects.filter(user=cast.mlro, target=f"kyc.submission:{given.pk}").count() == 1
    assert browse(cast.agent).get(given.get_absolute_url()).status_code == 403


def test_kyc_tab_lists_questionnaires(cast, officer, django_assert_max_num_queries):
    answer(cast.client, published(cast), WORST)
    published(cast, "pep")
    url = reverse("client_tab", args=[cast.client.pk, "kyc"])
    officer.get(url)
    with django_assert_max_num_queries(QUERIES_OF_A_FRAME):
        page = officer.get(url).content.decode()
    assert "Warning not acknowledged" in page
    assert "Not answered" in page


def test_builder_adds_moves_and_removes(cast, officer):
    made = drafted(cast, "pep")
    page = officer.get(made.get_absolute_url())
    assert "Politically exposed" in page.content.decode()
    new = reverse("kyc:questionnaire_edit", args=[made.pk, "question", "new"]) + "?section=s1&type=single"
    officer.get(new)
    sent = officer.post(
        new,
        {
            "revision": "1",
            "text_en": "How often?",
            "choice-0-en": "Often",
            "choice-0-score": "3",
            "choice-1-en": "Never",
            "is_required": "on",
        },
    )
    assert sent.status_code == 302, sent.content.decode()
    data, revision = drafts.edited_content(made)
    added = data["sections"][0]["questions"][-1]
    assert (added["text"]["en"], [choice["score"] for choice in added["choices"]]) == ("How often?", [3, 0])
    arrange = reverse("kyc:questionnaire_arrange", args=[made.pk])
    officer.post(arrange, {"kind": "question", "part": added["id"], "act": "up", "revision": str(revision)})
    officer.post(arrange, {"kind": "question", "part": "q2", "act": "remove", "revision": str(revision)})
    data, _revision = drafts.edited_content(made)
    assert [question["id"] for question in data["sections"][0]["questions"]] == ["q1", added["id"], "q2"]


@pytest.mark.parametrize(
    ("kind", "part"), [("settings", "all"), ("section", "s1"), ("question", "q3"), ("outcome", "pep")]
)
def test_each_form_saves_what_it_showed(cast, officer, kind, part):
    """Opened and sent back as it is, nothing changes."""
    made = drafted(cast, "pep")
    before, _revision = drafts.edited_content(made)
    url = reverse("kyc:questionnaire_edit", args=[made.pk, kind, part])
    form = officer.get(url).context["form"]
    data = {field.html_name: field.value() for field in form}
    data = {name: field_text(value) for name, value in data.items() if value is not None and value is not False}
    sent = officer.post(url, {**data, "revision": "1"})
    assert sent.status_code == 302, sent.context["form"].errors
    after, _revision = drafts.edited_content(made)
    assert plain(after) == plain(before)


def field_text(value):
    import json

    return json.dumps(value) if isinstance(value, dict) else value


def plain(data):
    """Content as it is read: without what is empty or the default."""
    from kyc.questionnaires.content import read

    return read({**data, "last_number": 0})


def test_preview_keeps_nothing_and_shows_the_outcome(cast, officer):
    made = drafted(cast, "pep")
    url = reverse("kyc:questionnaire_preview", args=[made.pk])
    assert officer.get(f"{url}?language=de").status_code == 200
    page = officer.post(f"{url}?step=0", {"q_q1": "no", "q_q2": "no"}).content.decode()
    assert "Not politically exposed" in page
    assert not AnswersDraft.objects.exists()


def test_agent_builds_nothing(cast, browse):
    made = drafted(cast, "pep")
    assert browse(cast.agent).get(made.get_absolute_url()).status_code == 403
