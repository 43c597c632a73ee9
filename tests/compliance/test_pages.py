"""Compliance's pages: matches, restrictions, the trail and its export, the audit and the access log, watchlists."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from clients.audit_codes import ClientsAction
from compliance import restrictions, screening
from compliance.choices import HitState
from compliance.models import Hit, ListVersion, Restriction, Screening
from compliance.pack_check import check_pack
from compliance.tables import LogFilter
from crm.audit_codes import CrmAction
from crm.choices import AccessKind
from crm.files.jobs import result_of, run_job
from crm.models import AccessEvent, AuditEvent, Job
from crm.security import access_log, audit
from kyc.audit_codes import KycAction
from tests.brand_policies import set_policies
from tests.compliance.factories import DATA, confirm_match, load, un_file
from wallet.audit_codes import WalletAction

pytestmark = pytest.mark.django_db
OFFICERS = ["kyc_officer", "mlro"]
SALES = ["agent", "desk_head", "retention", "marketing", "ib_manager"]


def url(name, *args):
    return reverse(f"compliance:{name}", args=args)


def text(answer):
    return answer.content.decode()


@pytest.fixture
def hit(cast, tmp_path):
    load(tmp_path, {"first": "Klara", "second": "Weber", "weak": "Lara Weaver"})
    screening.screen_client(client_id=cast.client.pk, trigger="verified")
    return Hit.objects.get()


# ── matches ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_open_matches_are_listed_and_explained(cast, browse, hit, django_assert_max_num_queries):
    browser = browse(cast.mlro)
    listed = browser.get(url("hits"), follow=True)
    assert "Klara Weber" in text(listed) and listed.redirect_chain
    with django_assert_max_num_queries(26):
        page = text(browser.get(url("hit", hit.pk)))
    assert "Sounds alike" in page or "Similar spelling" in page
    assert "Lara Weaver" in page and "UN Security Council" in page and "Propose true match" in page
    assert AccessEvent.objects.filter(target=f"compliance.hit:{hit.pk}").exists()


def test_clearing_on_the_page(cast, browse, hit):
    browser = browse(cast.kyc_officer)
    empty = browser.post(url("clear", hit.pk), {"reason_code": "birth_date", "reason": ""})
    assert empty.status_code == 422
    browser.post(url("clear", hit.pk), {"reason_code": "birth_date", "reason": "Born in 1990, not 1970"})
    hit.refresh_from_db()
    assert (hit.state, hit.decided_by) == (HitState.FALSE_POSITIVE, cast.kyc_officer)
    assert "Born in 1990" in text(browser.get(url("hit", hit.pk)))
    late = browser.post(url("confirm", hit.pk), {"reason": "sure"})
    assert late.status_code == 422 and "already been reviewed" in text(late)


def test_confirming_on_the_page(cast, browse, hit):
    set_policies(cast.brand, true_match_second_person="never")
    answer = browse(cast.mlro).post(url("confirm", hit.pk), {"reason": "Passport agrees"})
    assert answer["Location"] == url("client", cast.client.pk)
    assert "Frozen" in text(browse(cast.mlro).get(url("client", cast.client.pk)))


@pytest.mark.parametrize("who", [*SALES, "finance", "support", "administrator"])
def test_nobody_else_learns_of_a_match(cast, browse, hit, who):
    browser = browse(getattr(cast, who))
    for name, args in (("hits", []), ("hit", [hit.pk]), ("client", [cast.client.pk]), ("trail", [cast.client.pk])):
        if who == "administrator" and name == "trail":
            continue
        assert browser.get(url(name, *args)).status_code in (403, 404), name
    for name in ("clear", "confirm"):
        assert browser.post(url(name, hit.pk), {"reason": "x", "reason_code": "other"}).status_code in (403, 404)
    hit.refresh_from_db()
    assert hit.state == HitState.OPEN


@pytest.mark.parametrize("who", SALES)
def test_the_timeline_tips_nobody_off(cast, browse, hit, who):
    """Who talks to the client reads neither that a match was found nor how it ended."""
    confirm_match(hit, cast)
    address = f"/clients/{cast.client.pk}/tab/timeline/"
    page = text(browse(cast.mlro).get(address))
    assert "Screened, possible matches: 1" in page and "True match confirmed" in page
    answer = browse(getattr(cast, who)).get(address)
    assert "Screened" not in text(answer) and "rue match" not in text(answer)
    assert "Screened" not in text(browse(cast.client_user).get("/portal/activity/"))


def test_an_auditor_reads_and_decides_nothing(cast, browse, hit):
    browser = browse(cast.auditor)
    assert "true match</button>" not in text(browser.get(url("hit", hit.pk)))
    assert browser.post(url("confirm", hit.pk), {"reason": "x"}).status_code == 403


# ── the client's page and restrictions ─────────────────────────────────────────────────────────────────────────────


def test_screen_now_and_restrict(cast, browse, tmp_path):
    load(tmp_path, {"first": "Somebody", "second": "Else"})
    browser = browse(cast.mlro)
    browser.post(url("screen", cast.client.pk))
    assert Screening.objects.get().trigger == "demand"
    assert "No matches" in text(browser.get(url("client", cast.client.pk)))
    assert browser.post(url("restrict", cast.client.pk), {"kind": "no_deposit", "reason": ""}).status_code == 422
    browser.post(url("restrict", cast.client.pk), {"kind": "no_deposit", "reason": "Papers missing"})
    page = text(browser.get(url("client", cast.client.pk)))
    assert "Papers missing" in page and "Request lift" in page
    assert "Papers missing" in text(browser.get(url("restrictions") + "?state=force"))


def test_lifting_takes_two_people_on_the_page_too(cast, browse):
    restriction = restrictions.place_restriction(
        client_id=cast.client.pk, kind="no_trading", reason="Under review", actor=cast.mlro
    )
    asks, releases = browse(cast.kyc_officer), browse(cast.mlro)
    asks.post(url("ask_to_lift", restriction.pk), {"reason": "Review is over"})
    assert url("lift", restriction.pk) not in text(asks.get(url("client", cast.client.pk)))
    asks.post(url("lift", restriction.pk))
    restriction.refresh_from_db()
    assert restriction.is_in_force
    assert url("lift", restriction.pk) in text(releases.get(url("client", cast.client.pk)))
    releases.post(url("lift", restriction.pk))
    restriction.refresh_from_db()
    assert not restriction.is_in_force and restriction.lifted_by == cast.mlro


def test_a_colleague_keeps_the_restriction(cast, browse):
    restriction = restrictions.place_restriction(
        client_id=cast.client.pk, kind="no_trading", reason="Under review", actor=cast.mlro
    )
    restrictions.ask_to_lift(restriction_id=restriction.pk, actor=cast.kyc_officer, reason="Review is over")
    assert browse(cast.mlro).get(url("keep", restriction.pk)).status_code == 200
    browse(cast.mlro).post(url("keep", restriction.pk), {"reason": "It is not"})
    assert Restriction.objects.get().lift_requested_by is None


def test_clients_of_another_brand_are_out_of_reach(cast, browse):
    cast.client.brand = cast.other_brand
    from crm.models import Book

    cast.client.book = Book.objects.create(brand=cast.other_brand, name="Theirs")
    cast.client.save()
    for name in ("client", "trail", "who_saw"):
        assert browse(cast.mlro).get(url(name, cast.client.pk)).status_code == 404
    assert browse(cast.mlro).post(url("screen", cast.client.pk)).status_code == 404


# ── the trail ──────────────────────────────────────────────────────────────────────────────────────────────────────


def write_trail(cast, count=3):
    audit.record_many(
        {
            "actor": cast.agent if number % 2 else None,
            "action": ClientsAction.NOTE_ADDED if number % 2 else KycAction.DOCUMENT_CHECKED,
            "target": cast.client,
            "client_id": cast.client.pk,
            "brand_id": cast.brand.pk,
            "reason": f"Grund {number}",
            "before": {"status": "new"},
            "after": {"status": f"step {number}"},
        }
        for number in range(count)
    )


def test_the_trail_is_read_as_sentences(cast, browse, django_assert_max_num_queries):
    write_trail(cast, 60)
    browser = browse(cast.auditor)
    browser.get(url("trail", cast.client.pk))
    with django_assert_max_num_queries(26):
        page = text(browser.get(url("trail", cast.client.pk)))
    assert "Note added" in page and "new → step 59" in page and "Grund 59" in page
    assert "Grund 0<" not in page  # fifty to a page
    assert "Document checked automatically" in page
    assert AccessEvent.objects.filter(target=f"compliance.trail:{cast.client.pk}").count() == 2


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ("?area=kyc", "Document checked automatically", "Note added"),
        ("?who=staff", "Note added", "Document checked"),
        ("?who=system", "Document checked automatically", "Note added"),
        ("?day_before=2020-01-01", "No matches", "Note added"),
    ],
)
def test_the_trail_is_filtered(cast, browse, query, there, gone):
    write_trail(cast)
    page = text(browse(cast.auditor).get(url("trail", cast.client.pk) + query))
    assert there in page and f"<strong>{gone}" not in page


@pytest.mark.django_db(transaction=True)
def test_the_trail_is_exported_as_the_filter_shows_it(cast, browse):
    write_trail(cast, 6)
    audit.seal_pending()
    browser = browse(cast.auditor)
    answer = browser.post(url("trail", cast.client.pk), {"area": "kyc", "who": ""})
    job = Job.objects.get()
    assert answer["Location"] == reverse("job", args=[job.pk]) and job.owner == cast.auditor
    run_job(job.pk)
    job.refresh_from_db()
    result = check_pack(b"".join(result_of(job)))
    assert result.holds and result.rows == 3
    assert browse(cast.kyc_officer).post(url("trail", cast.client.pk), {}).status_code == 403


def test_a_filter_changed_in_place_changes_what_is_exported(cast, browse):
    write_trail(cast)
    page = url("trail", cast.client.pk)
    changed = text(browse(cast.auditor).get(page + "?area=kyc", headers={"HX-Request": "true"}))
    assert '<input type="hidden" form="trail-export" name="area" value="kyc">' in changed
    assert "Export filtered entries as sealed PDF" in changed
    assert 'name="action"' not in changed, "the pack would hold the other actions, too"
    assert 'id="trail-export"' in text(browse(cast.auditor).get(page))


@pytest.mark.parametrize("who", [*SALES, "finance", "support", "kyc_officer"])
def test_other_roles_read_no_trail(cast, browse, who):
    write_trail(cast)
    assert browse(getattr(cast, who)).get(url("trail", cast.client.pk)).status_code in (403, 404)
    assert browse(getattr(cast, who)).get(url("audit")).status_code == 403


def test_the_audit_log_shows_whole_brands_and_filters(cast, browse):
    write_trail(cast)
    audit.record(actor=cast.administrator, action=CrmAction.ROLE_GIVEN, target=cast.agent, after={"role": "agent"})
    audit.record(actor=None, action=WalletAction.PSP_CHECKED, target=cast.other_brand, brand_id=cast.other_brand.pk)
    browser = browse(cast.auditor)
    page = text(browser.get(url("audit")))
    assert (
        "<strong>Role granted" in page and "<strong>Note added" in page and "<strong>PSP connection checked" not in page
    )
    for query, there, gone in (
        ("area=crm", "Role granted", "Note added"),
        (f"actor={cast.agent.email}", "Note added", "Role granted"),
        (f"client={cast.client.pk}", "Note added", "Role granted"),
        ("action=clients.note_added", "Note added", "Role granted"),
    ):
        narrowed = text(browser.get(url("audit") + f"?{query}"))
        assert f"<strong>{there}" in narrowed and f"<strong>{gone}" not in narrowed, query
    assert "Action: Note added" in narrowed
    offered = str(LogFilter({}, queryset=AuditEvent.objects.none()).form["action"])
    assert '<option value="kyc.document_checked">Document checked automatically</option>' in offered


def test_a_body_that_was_tampered_with_is_said_so(cast, browse):
    from django.db import connection

    write_trail(cast, 1)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE crm_auditevent SET body = body || 'x'::bytea")
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert "the stored data was changed" in text(browse(cast.auditor).get(url("trail", cast.client.pk)))


# ── looks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def look(cast, person, kind=AccessKind.VIEW, client=None, **fields):
    client = client or cast.client
    access_log.note(
        user=person, kind=kind, client_id=client.pk, brand_id=client.brand_id, target="clients.client:1", **fields
    )


def test_who_saw_this_client(cast, browse):
    look(cast, cast.agent, in_book=True)
    look(cast, cast.agent, AccessKind.REVEAL, in_book=True, reason="calling back")
    look(cast, cast.other_agent, AccessKind.CALL, in_book=False, reason="no_answer")
    look(cast, cast.finance, client=cast.other_client)
    page = text(browse(cast.auditor).get(url("who_saw", cast.client.pk)))
    assert "Alice Tester" in page and "Bruno Tester" in page and "Frank" not in page
    assert "calling back" in page and "Contact revealed" in page
    assert "No answer" in page and "no_answer" not in page


def test_the_access_log_is_filtered_and_paged(cast, browse, django_assert_max_num_queries):
    for number in range(60):
        look(cast, cast.agent, reason=f"look {number}")
    look(cast, cast.finance, AccessKind.EXPORT, reason="month end")
    browser = browse(cast.auditor)
    browser.get(url("access_log"))
    with django_assert_max_num_queries(20):
        page = text(browser.get(url("access_log") + f"?person={cast.agent.email}&kind=view"))
    assert "look 59" in page and "look 5<" not in page and "month end" not in page
    older = page.split('href="?')[-1].split('"')[0].replace("&amp;", "&")
    assert "look 0" in text(browser.get(f"{url('access_log')}?{older}"))
    assert "month end" in text(browser.get(url("access_log") + "?kind=export"))
    assert browser.get(url("access_log") + "?cursor=nonsense").status_code == 200


def test_a_desk_head_sees_the_looks_of_the_own_desk_only(cast, browse):
    look(cast, cast.agent, reason="own desk")
    look(cast, cast.other_agent, reason="other desk")
    page = text(browse(cast.desk_head).get(url("access_log")))
    assert "own desk" in page and "other desk" not in page
    assert browse(cast.agent).get(url("access_log")).status_code == 403


# ── watchlists ─────────────────────────────────────────────────────────────────────────────────────────────────────


def upload(browser, path, **fields):
    file = SimpleUploadedFile(path.name, path.read_bytes())
    return browser.post(url("watchlists"), {"source": "un", "files": [file], **fields})


def test_a_list_is_loaded_and_a_broken_one_refused_on_the_page(cast, browse, tmp_path):
    browser = browse(cast.mlro)
    assert "No lists imported" in text(browser.get(url("watchlists")))
    assert upload(browser, un_file(tmp_path, {"first": "Anna", "second": "Listed"})).status_code == 302
    assert ListVersion.objects.get(state="current").imported_by == cast.mlro
    broken = tmp_path / "broken.xml"
    broken.write_text("<CONSOLIDATED_LIST>")
    answer = upload(browser, broken)
    assert answer.status_code == 422 and "the version in force is unchanged" in text(answer)
    page = text(browser.get(f"/compliance/watchlists/{ListVersion.objects.first().source_id}/"))
    assert "Rejected" in page and "In force" in page


def test_ofacs_three_files_are_loaded_together(cast, browse):
    parts = [DATA / f"cons_{part}.csv.gz" for part in ("alt", "prim", "add")]
    files = [SimpleUploadedFile(path.name, path.read_bytes()) for path in parts]
    answer = browse(cast.mlro).post(url("watchlists"), {"source": "ofac-consolidated", "files": files})
    assert answer.status_code == 302 and ListVersion.objects.get().entry_count == 442


@pytest.mark.parametrize("who", ["kyc_officer", "auditor"])
def test_readers_load_nothing(cast, browse, tmp_path, who):
    browser = browse(getattr(cast, who))
    assert browser.get(url("watchlists")).status_code == 200
    assert upload(browser, un_file(tmp_path, {"first": "Anna", "second": "Listed"})).status_code == 403
    assert not ListVersion.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_everybody_is_screened_again_as_a_job(cast, browse, tmp_path):
    from clients.models import Client

    load(tmp_path, {"first": "Klara", "second": "Weber"})
    Client.objects.update(kyc_level=1)
    browse(cast.mlro).post(url("screen_all"))
    job = Job.objects.get()
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "done" and Screening.objects.count() == 2 and Hit.objects.count() == 1


def test_the_tile_counts(cast, hit):
    from compliance.panels import open_hits
    from compliance.views import home_cards

    assert home_cards.open_matches(cast.mlro).value == "1" and open_hits(cast.mlro) == 1
    assert open_hits(cast.agent) is None
