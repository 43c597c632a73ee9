"""The client's page: the stage as a path, what to do next, what can be created, facts edited in place."""

import datetime as dt

import pytest
from django.utils import timezone

from clients.choices import Stage
from clients.followups import add_task
from clients.models import Client
from clients.record.stage_path import path_of
from clients.stages import move_stage
from crm.models import AccessEvent, AuditEvent
from tests.cast import make_client

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def html(answer, status=200):
    assert answer.status_code == status, answer.content[:500]
    return answer.content.decode()


def fact(client, slug, query=""):
    return f"/clients/{client.pk}/facts/{slug}/{query}"


def next_step(page):
    return page.split('aria-labelledby="next-step"')[1].split("</section>")[0]


class TestStagePath:
    def test_reached_stages_have_their_day_and_others_wait(self, cast):
        move_stage(client_id=cast.client.pk, to=Stage.VERIFIED)
        cast.client.refresh_from_db()
        path = path_of(cast.client)
        assert [step.state for step in path] == ["done", "done", "current", "ahead", "ahead"]
        assert all(step.at for step in path[:3]) and not any(step.at for step in path[3:])

    def test_a_skipped_stage_is_not_shown_as_reached(self, cast):
        Client.objects.filter(pk=cast.client.pk).update(stage=Stage.FUNDED, first_deposit_at=timezone.now())
        cast.client.refresh_from_db()
        assert [step.state for step in path_of(cast.client)] == ["done", "done", "ahead", "current", "ahead"]

    def test_dormant_is_one_more_step(self, cast):
        Client.objects.filter(pk=cast.client.pk).update(stage=Stage.DORMANT)
        cast.client.refresh_from_db()
        path = path_of(cast.client)
        assert len(path) == 6 and (path[-1].state, path[-1].tone) == ("current", "warning")

    def test_the_page_shows_it_as_an_ordered_list(self, cast, browse):
        page = html(browse(cast.agent).get(f"/clients/{cast.client.pk}/"))
        path = page.split('<ol class="c-path"')[1].split("</ol>")[0]
        assert path.count("<li") == 5 and path.count('aria-current="step"') == 1 and "Not yet" in path


class TestNextStep:
    def test_who_was_never_called_is_called_first(self, cast, browse):
        step = next_step(html(browse(cast.agent).get(f"/clients/{cast.client.pk}/")))
        assert "Missing: Proof of identity" in step and "Call for the first time" in step
        assert f"/clients/{cast.client.pk}/call/" in step

    def test_an_overdue_follow_up_comes_before_a_missing_document(self, cast, browse):
        soon = timezone.now() + dt.timedelta(minutes=20)
        add_task(client_id=cast.client.pk, actor=cast.agent, title="Explain swaps", due_at=soon)
        step = next_step(html(browse(cast.agent).get(f"/clients/{cast.client.pk}/")))
        assert step.index("Explain swaps") < step.index("Missing: Proof of identity")
        assert step.count("btn-primary") == 1

    def test_a_missing_document_is_requested_with_its_template(self, cast, browse):
        browser = browse(cast.agent)
        step = next_step(html(browser.get(f"/clients/{cast.client.pk}/")))
        address = f"/clients/{cast.client.pk}/mail/?template=kyc.documents_missing"
        assert address in step
        assert '<option value="kyc.documents_missing" selected>' in html(browser.get(address, headers=HTMX))

    def test_who_only_reads_is_asked_for_nothing(self, cast, browse):
        step = next_step(html(browse(cast.auditor).get(f"/clients/{cast.client.pk}/")))
        assert "/call/" not in step and "/mail/" not in step and "Missing: Proof of identity" in step


class TestOrderAndCreate:
    def test_a_lead_shows_its_score_and_a_client_folds_it(self, cast, browse):
        lead = make_client(brand=cast.brand, book=cast.book, email="l@example.com", login=False, last_name="Lead")
        from leads.models import Lead

        for client in (lead, cast.client):
            Lead.objects.create(
                client=client, brand=cast.brand, source="google", channel="landing", captured_at=timezone.now()
            )
        page = html(browse(cast.agent).get(f"/clients/{lead.pk}/"))
        assert page.index('id="lead-card"') < page.index("Personal details")
        page = html(browse(cast.agent).get(f"/clients/{cast.client.pk}/"))
        assert page.index("Personal details</h2>") < page.index('id="lead-card"')
        assert '<details class="c-fold">' in page.split('id="lead-card"')[1]

    @pytest.mark.parametrize(
        ("role", "there", "missing"),
        [
            ("agent", ["task/", "note/", "mail/"], ["bonus/", "/trading/open/", "/upload/"]),
            ("retention", ["task/", "bonus/", "/trading/open/"], ["/upload/"]),
            ("kyc_officer", ["/upload/", "note/"], ["bonus/", "/trading/open/"]),
            ("auditor", [], ["task/", "note/", "bonus/", "/trading/open/", "/upload/"]),
        ],
    )
    def test_each_role_creates_what_it_may(self, cast, browse, role, there, missing):
        page = html(browse(getattr(cast, role)).get(f"/clients/{cast.client.pk}/"))
        menu = page.split('<div class="c-actions">')[1].split("</header>")[0]
        assert all(part in menu for part in there) and not any(part in menu for part in missing)


class TestFacts:
    def test_a_fact_is_edited_saved_and_audited(self, cast, browse):
        browser = browse(cast.agent)
        form = html(browser.get(fact(cast.client, "language"), headers=HTMX))
        assert '<select name="language"' in form and "autofocus" in form and "?shown=1" in form
        line = html(browser.post(fact(cast.client, "language"), {"language": "es"}, headers=HTMX))
        assert "Spanish" in line and "<select" not in line and 'hx-swap-oob="true"' in line
        assert Client.objects.get(pk=cast.client.pk).language == "es"
        assert AuditEvent.objects.filter(client_id=cast.client.pk, action="clients.profile_changed").count() == 1

    def test_only_its_own_fields_change(self, cast, browse):
        data = {"city": "Graz", "address_line": "Ring 1", "postal_code": "8010", "last_name": "Other", "country": "AT"}
        html(browse(cast.agent).post(fact(cast.client, "address"), data, headers=HTMX))
        client = Client.objects.get(pk=cast.client.pk)
        assert (client.city, client.last_name, client.country) == ("Graz", "Weber", cast.client.country)

    def test_an_error_is_shown_at_the_field_and_nothing_changes(self, cast, browse):
        browser = browse(cast.agent)
        form = html(browser.post(fact(cast.client, "zone"), {"time_zone": "Mars/Base"}, headers=HTMX), 422)
        assert "Enter a time zone" in form and 'value="Mars/Base"' in form
        form = html(browser.post(fact(cast.client, "phone"), {"new_phone": "12"}, headers=HTMX), 422)
        assert "Enter a valid phone number" in form
        assert Client.objects.get(pk=cast.client.pk).time_zone == cast.client.time_zone
        assert not AuditEvent.objects.filter(action="clients.profile_changed").exists()

    def test_given_up_it_reads_as_before(self, cast, browse):
        line = html(browse(cast.agent).get(fact(cast.client, "phone", "?shown=1"), headers=HTMX))
        assert "+4915112345678" not in line and "Edit Phone" in line

    def test_contact_details_are_replaced_without_being_shown(self, cast, browse):
        browser = browse(cast.agent)
        assert "+4915112345678" not in html(browser.get(fact(cast.client, "phone"), headers=HTMX))
        line = html(browser.post(fact(cast.client, "phone"), {"new_phone": "+4915112345679"}, headers=HTMX))
        assert "+4915112345679" not in line
        assert Client.objects.get(pk=cast.client.pk).phone == "+4915112345679"
        assert not AccessEvent.objects.filter(kind="reveal").exists()
        officer = html(browse(cast.kyc_officer).get(fact(cast.client, "phone"), headers=HTMX))
        assert "+4915112345679" in officer

    def test_what_a_document_proved_is_corrected_by_kyc_only(self, cast, browse):
        Client.objects.filter(pk=cast.client.pk).update(kyc_level=1)
        page = html(browse(cast.agent).get(f"/clients/{cast.client.pk}/"))
        assert "Verified by a document. Ask the KYC team to correct it." in page
        change = {"first_name": "Klara", "last_name": "Weber"}
        assert browse(cast.agent).post(fact(cast.client, "name"), change, headers=HTMX).status_code == 403
        whole = {"first_name": "Klara", "last_name": "Weber", "country": "DE", "language": "de"}
        assert browse(cast.agent).post(f"/clients/{cast.client.pk}/edit/", whole).status_code in (403, 422)
        assert Client.objects.get(pk=cast.client.pk).first_name == "Clara"
        html(browse(cast.kyc_officer).post(fact(cast.client, "name"), change, headers=HTMX))
        assert Client.objects.get(pk=cast.client.pk).first_name == "Klara"

    def test_others_have_no_pencil_and_no_door(self, cast, browse):
        page = html(browse(cast.support).get(f"/clients/{cast.client.pk}/"))
        assert 'class="c-edit"' not in page
        assert browse(cast.support).get(fact(cast.client, "language"), headers=HTMX).status_code == 403
        assert browse(cast.other_agent).get(fact(cast.client, "language"), headers=HTMX).status_code == 404
        assert browse(cast.agent).get(fact(cast.client, "score"), headers=HTMX).status_code == 404

    def test_without_scripts_the_whole_form_is_the_way(self, cast, browse):
        assert browse(cast.agent).get(fact(cast.client, "language"))["Location"] == f"/clients/{cast.client.pk}/edit/"
