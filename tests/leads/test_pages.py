import datetime as dt
import json
import re

import pytest
from django.utils import timezone

from clients.choices import SalesStatus
from clients.models import Client
from crm.models import AccessEvent, AuditEvent, Notification
from leads.models import Campaign, LandingPage, Lead, LeadSource, RegistrationInvitation, RoutingRule, ScoreRule, Shift
from leads.sources import find_by_key
from tests.cast import make_client
from tests.leads.rules import where

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def html(answer, status=200):
    assert answer.status_code == status, answer.content[:500]
    return answer.content.decode()


@pytest.fixture
def lead(german_rule, landing_page, capture):
    return capture(landing_page=landing_page, message="Bitte anrufen").lead


class TestList:
    def test_leads_in_reach_with_score_and_source_and_no_clients(self, cast, lead, browse):
        page = html(browse(cast.agent).get("/leads/"))
        assert "Erika Mustermann" in page and "de-search" in page and "Clara Weber" not in page
        assert "Erika" not in html(browse(cast.other_agent).get("/leads/"))

    @pytest.mark.parametrize(
        ("query", "hit"),
        [
            ("sales_status=new", True),
            ("sales_status=contacted", False),
            ("source=google", True),
            ("source=x", False),
            ("campaign=de-search", True),
            ("score_from=1", True),
            ("score_from=100", False),
            ("country=DE", True),
            ("q=mustermann", True),
            ("q=0151 23456789", True),
            ("q=nobody", False),
            ("sort=-score", True),
            ("sort=last_contact_at", True),
        ],
    )
    def test_filters_search_and_order(self, cast, lead, browse, query, hit):
        assert ("Erika Mustermann" in html(browse(cast.agent).get(f"/leads/?{query}"))) is hit

    def test_the_number_of_queries_does_not_grow_with_the_rows(self, cast, lead, browse, django_assert_max_num_queries):
        for n in range(60):
            make_client(
                brand=cast.brand,
                book=cast.book,
                email=f"l{n}@example.com",
                login=False,
                first_name="L",
                last_name=str(n),
            )
        browser = browse(cast.agent)
        browser.get("/leads/")
        with django_assert_max_num_queries(22):
            browser.get("/leads/")

    @pytest.mark.parametrize("sort", ["-id", "score", "-score", "last_contact_at", "-last_contact_at", "-created_at"])
    def test_pages_follow_each_other_without_gaps_or_repeats(self, cast, browse, sort):
        now = timezone.now()
        for n in range(120):
            client = make_client(
                brand=cast.brand, book=cast.book, email=f"p{n}@example.com", login=False, last_name=f"P{n:03}."
            )
            Client.objects.filter(pk=client.pk).first()
            client.score = n % 5
            client.last_contact_at = None if n % 3 else now - dt.timedelta(hours=n % 7)
            client.save()
        browser = browse(cast.agent)
        seen, address = [], f"/leads/?sort={sort}"
        for _ in range(4):
            page = html(browser.get(address))
            seen += re.findall(r"P(\d{3})\.", page)
            more = re.search(r'href="([^"]+)"[^>]*data-page="next"', page)
            if not more:
                break
            address = more[1].replace("&amp;", "&")
        assert sorted(seen) == [f"{n:03}" for n in range(120)]

    def test_a_desk_head_assigns_the_selected(self, cast, lead, second_agent, browse):
        answer = browse(cast.desk_head).post("/leads/assign/", {"ids": [lead.client_id], "agent": second_agent.pk})
        assert answer.status_code == 302
        assert Lead.objects.get(pk=lead.pk).assigned_to == second_agent
        assert (
            browse(cast.agent).post("/leads/assign/", {"ids": [lead.client_id], "agent": cast.agent.pk}).status_code
            == 403
        )
        page = browse(cast.desk_head).post("/leads/assign/", {"ids": [lead.client_id]}, follow=True)
        assert "Choose who gets these leads." in html(page)

    def test_an_agent_without_a_book_is_refused_on_the_list_with_its_filters(self, cast, lead, browse):
        browser, start = browse(cast.desk_head), "/leads/?sort=-id"
        answer = browser.post("/leads/assign/", {"ids": [lead.client_id], "agent": cast.finance.pk, "list": start})
        assert answer["Location"] == start
        assert "has no book with this brand" in html(browser.get(start))
        assert Lead.objects.get(pk=lead.pk).assigned_to == lead.assigned_to


class TestBoard:
    def test_columns_hold_the_open_statuses_and_a_bounded_number_of_cards(self, cast, lead, browse):
        for n in range(30):
            make_client(brand=cast.brand, book=cast.book, email=f"b{n}@example.com", login=False, last_name="Board")
        page = html(browse(cast.agent).get("/leads/board/"))
        assert page.count('class="c-column"') == 6
        assert page.count('class="c-lead"') == 25 and "View all" in page

    def test_a_dropped_card_moves_and_the_board_comes_back(self, cast, lead, browse):
        answer = browse(cast.agent).post(
            "/leads/board/move/", {"client": lead.client_id, "to": "contacted"}, headers=HTMX
        )
        assert 'id="c-board-holder"' in html(answer)
        assert Client.objects.get(pk=lead.client_id).sales_status == SalesStatus.CONTACTED

    @pytest.mark.parametrize(("to", "words"), [("new", "A lead can&#x27;t move from"), ("x", "Choose a status.")])
    def test_a_refused_move_is_said_on_the_board_as_it_is(self, cast, lead, browse, to, words):
        Client.objects.filter(pk=lead.client_id).update(sales_status=SalesStatus.INTERESTED)
        answer = browse(cast.agent).post("/leads/board/move/", {"client": lead.client_id, "to": to}, headers=HTMX)
        assert 'id="c-board-holder"' in html(answer, 422) and words in html(answer, 422)
        assert Client.objects.get(pk=lead.client_id).sales_status == SalesStatus.INTERESTED

    @pytest.mark.parametrize(
        ("data", "status"), [({"client": "x", "to": "new"}, 404), ({"client": "1", "to": "x"}, 404)]
    )
    def test_nonsense_moves_nothing(self, cast, lead, browse, data, status):
        assert browse(cast.other_agent).post("/leads/board/move/", data, headers=HTMX).status_code == status

    def test_someone_elses_card_is_missing(self, cast, lead, browse):
        answer = browse(cast.other_agent).post(
            "/leads/board/move/", {"client": lead.client_id, "to": "contacted"}, headers=HTMX
        )
        assert answer.status_code == 404
        assert Client.objects.get(pk=lead.client_id).sales_status == SalesStatus.NEW


class TestLeadOnTheClientPage:
    """Step 2 of the journey: reveal, call, status, follow-up, registration link."""

    def test_the_page_shows_worth_way_and_clock(self, cast, lead, browse):
        page = html(browse(cast.agent).get(f"/clients/{lead.client_id}/"))
        for text in (
            "of 100",
            "Tier 1 country",
            "is next in turn",
            "First contact due",
            "Bitte anrufen",
            "Send registration link",
        ):
            assert text in page, text

    def test_the_whole_step(self, cast, lead, browse):
        browser, base = browse(cast.agent), f"/clients/{lead.client_id}/"
        assert "+4915123456789" in html(browser.post(f"{base}contact/", headers=HTMX))
        due = (timezone.localtime() + dt.timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
        call = {
            "outcome": "reached",
            "duration": "5",
            "direction": "outbound",
            "notes": "Wants MT5",
            "follow_up_at": due,
        }
        assert browser.post(f"{base}call/", call).status_code == 302
        assert browser.post(f"/leads/{lead.client_id}/status/", {"to": "contacted"}).status_code == 302
        assert browser.post(f"/leads/{lead.client_id}/invite/").status_code == 302
        client = Client.objects.get(pk=lead.client_id)
        assert client.sales_status == "registration_sent" and client.last_contact_at
        assert RegistrationInvitation.objects.get(client=client).used_at is None
        assert list(AccessEvent.objects.order_by("at").values_list("kind", flat=True)) == ["reveal", "call"]
        page = html(browser.get(base))
        for text in (
            "Wants MT5",
            "Status: New → Contacted",
            "Call back",
            "Ihre Registrierung bei Meridian Markets",
            "Link sent",
        ):
            assert text in page, text

    def test_a_second_link_within_a_minute_says_so(self, cast, lead, browse):
        browser = browse(cast.agent)
        browser.post(f"/leads/{lead.client_id}/invite/")
        browser.post(f"/leads/{lead.client_id}/invite/")
        assert "just been sent" in html(browser.get(f"/clients/{lead.client_id}/"))
        assert RegistrationInvitation.objects.count() == 1

    @pytest.mark.parametrize("path", ["status", "invite"])
    def test_another_desks_agent_finds_nothing(self, cast, lead, browse, path):
        assert browse(cast.other_agent).post(f"/leads/{lead.client_id}/{path}/", {"to": "contacted"}).status_code == 404
        assert browse(cast.agent).get(f"/leads/{lead.client_id}/{path}/").status_code == 405

    @pytest.mark.parametrize(("to", "words"), [("new", "A lead can&#x27;t move from"), ("x", "Choose a status.")])
    def test_a_refused_step_is_said_on_the_card_and_the_reason_stays(self, cast, lead, browse, to, words):
        browser, address = browse(cast.agent), f"/leads/{lead.client_id}/status/"
        browser.post(address, {"to": "interested"})
        answer = browser.post(address, {"to": to, "reason": "Rang twice"}, headers=HTMX)
        card = html(answer, 422)
        assert 'id="lead-card"' in card and words in card and 'value="Rang twice"' in card
        page = browser.post(address, {"to": to, "reason": "Rang twice"}, follow=True)  # without scripts
        assert words in html(page)
        assert Client.objects.get(pk=lead.client_id).sales_status == SalesStatus.INTERESTED

    def test_my_day_shows_who_waits(self, cast, lead, browse):
        assert "Erika Mustermann" in html(browse(cast.agent).get("/my-day/"))
        assert "Erika Mustermann" in html(browse(cast.agent).get("/tiles/my_day/leads-waiting/", headers=HTMX))


class TestEnteringByHand:
    FORM = {
        "first_name": "Ida",
        "last_name": "Neu",
        "email": "ida@web.de",
        "country": "DE",
        "language": "de",
        "keep": "on",
    }

    def test_an_agent_keeps_whom_they_enter(self, cast, german_rule, browse):
        answer = browse(cast.agent).post("/leads/new/", {**self.FORM, "brand": cast.brand.pk})
        client = Client.objects.get(email="ida@web.de")
        assert answer["Location"] == f"/clients/{client.pk}/" and client.owner == cast.agent
        assert client.leads.get().channel == "manual"

    def test_someone_elses_client_is_not_shown_to_who_enters_them_again(self, cast, german_rule, browse):
        form = {**self.FORM, "email": "oscar@example.com", "brand": cast.brand.pk}
        answer = browse(cast.agent).post("/leads/new/", form)
        assert answer["Location"] == "/leads/"
        assert Notification.objects.get(user=cast.other_agent).kind == "leads.came_again"

    def test_a_lead_nobody_can_reach_is_refused(self, cast, browse):
        answer = browse(cast.agent).post("/leads/new/", {**self.FORM, "email": "", "brand": cast.brand.pk})
        assert "phone number" in html(answer, 422)

    def test_who_may_not_enter_leads_gets_403(self, cast, browse):
        assert browse(cast.auditor).get("/leads/new/").status_code == 403


class TestSetUp:
    def test_a_campaign_is_made_and_changed_with_its_trace(self, cast, browse):
        browser = browse(cast.marketing)
        form = {
            "brand": cast.brand.pk,
            "name": "Autumn",
            "code": "autumn",
            "cost": "1200.50",
            "quality": 6,
            "is_active": "on",
        }
        assert browser.post("/campaigns/new/", form).status_code == 302
        made = Campaign.objects.get()
        browser.post(f"/campaigns/{made.pk}/edit/", {**form, "quality": 9})
        made.refresh_from_db()
        assert made.quality == 9 and made.history.count() == 2
        assert "Autumn" in html(browser.get("/campaigns/"))
        from crm.security import audit

        rows = AuditEvent.objects.filter(action="leads.campaign_saved").order_by("id")
        assert audit.body_of(rows[1]) == {"before": {"quality": 6}, "after": {"quality": 9}}
        assert "already" in html(browser.post("/campaigns/new/", form), 422)

    def test_a_landing_page_is_written_as_lines(self, cast, browse):
        form = {
            "brand": cast.brand.pk,
            "slug": "gold",
            "language": "de",
            "headline": "Gold handeln",
            "call_to_action": "Los",
            "thanks_title": "Danke",
            "points": "shield-check | Reguliert | Getrennte Gelder\nreceipt | Kosten | Vorab",
            "is_published": "on",
        }
        browser = browse(cast.marketing)
        assert browser.post("/landing-pages/new/", form).status_code == 302
        page = LandingPage.objects.get()
        assert page.points[1] == {"icon": "receipt", "title": "Kosten", "text": "Vorab"}
        assert "Gold handeln" in html(browse(None).get("/l/meridian/gold/?lang=de"))
        assert "icon | title | text" in html(
            browser.post("/landing-pages/new/", {**form, "slug": "x", "points": "only words"}), 422
        )
        assert "Reguliert" in html(browser.get(f"/landing-pages/{page.pk}/"))

    def test_rules_are_written_tried_and_told(self, cast, browse, second_agent):
        browser = browse(cast.desk_head)
        form = {
            "brand": cast.brand.pk,
            "name": "Germans",
            "position": 5,
            "is_active": "on",
            "condition": json.dumps(where(language=["de"], country=["DE", "AT"])),
            "desk": cast.desk.pk,
            "strategy": "round_robin",
            "needs_language": "on",
            "off_shift": "assign",
            "no_agent": "wait",
            "sla_seconds": 300,
            "agents": [second_agent.pk],
        }
        assert browser.post("/lead-rules/routing/new/", form).status_code == 302
        rule = RoutingRule.objects.get()
        assert rule.condition == where(language=["de"], country=["DE", "AT"])
        assert list(rule.agents.all()) == [second_agent]
        assert "Language is German, and Country is Germany or Austria" in html(browser.get("/lead-rules/"))
        query = f"?brand={cast.brand.pk}&country=DE&language=de&email=x@firma.de&phone=015123456789"
        page = html(browser.get(f"/lead-rules/{query}"))
        assert "Rule “Germans” routes the lead to German desk" in page and "Phone matches country" in page
        assert html(
            browser.post(
                "/lead-rules/routing/new/", {**form, "condition": json.dumps(where(score_from=9, score_to=3))}
            ),
            422,
        )

    def test_a_changed_scoring_rule_is_a_new_version_for_the_brand(self, cast, browse):
        browser = browse(cast.desk_head)
        house = ScoreRule.objects.get(brand=None, name="Tier 1 country")
        form = {"brand": cast.brand.pk, "name": house.name, "kind": "country", "values": "de, at", "points": 25}
        assert browser.post(f"/lead-rules/score/{house.pk}/", form).status_code == 302
        own = ScoreRule.objects.get(brand=cast.brand)
        assert (own.parameters, own.points, own.valid_from) == ({"countries": ["DE", "AT"]}, 25, timezone.localdate())
        house.refresh_from_db()
        assert house.points == 20
        ScoreRule.objects.filter(pk=own.pk).first()
        own.valid_from = timezone.localdate() - dt.timedelta(days=30)
        own.save()
        browser.post(f"/lead-rules/score/{own.pk}/", {**form, "points": 30})
        assert [rule.points for rule in ScoreRule.objects.filter(brand=cast.brand).order_by("valid_from")] == [25, 30]
        newest = ScoreRule.objects.get(brand=cast.brand, valid_to=None)
        browser.post(f"/lead-rules/score/{newest.pk}/end/")
        assert not ScoreRule.objects.filter(brand=cast.brand, valid_to=None).exists()

    @pytest.mark.parametrize(
        ("kind", "values"),
        [("country", ""), ("email", "odd"), ("phone", ""), ("hour", "8"), ("hour", "8 40"), ("repeat", "1")],
    )
    def test_values_that_make_no_sense_are_refused(self, cast, browse, kind, values):
        form = {"brand": cast.brand.pk, "name": "X", "kind": kind, "values": values, "points": 5}
        assert browse(cast.desk_head).post("/lead-rules/score/new/", form).status_code == 422

    def test_hours_are_set_for_agents_of_the_desk_only(self, cast, browse):
        browser = browse(cast.desk_head)
        form = {"starts_0": "09:00", "ends_0": "17:30", "starts_4": "10:00", "ends_4": "14:00"}
        assert browser.post(f"/lead-rules/shifts/{cast.agent.pk}/", form).status_code == 302
        assert [str(shift) for shift in Shift.objects.all()] == ["Mon 09:00–17:30", "Fri 10:00–14:00"]
        assert "both times" in html(browser.post(f"/lead-rules/shifts/{cast.agent.pk}/", {"starts_0": "09:00"}), 422)
        assert "after it starts" in html(
            browser.post(f"/lead-rules/shifts/{cast.agent.pk}/", {"starts_0": "9:00", "ends_0": "8:00"}), 422
        )
        assert browser.post(f"/lead-rules/shifts/{cast.other_agent.pk}/", form).status_code == 404

    def test_a_sources_key_is_shown_once(self, cast, browse):
        browser = browse(cast.administrator)
        browser.post("/lead-sources/new/", {"brand": cast.brand.pk, "name": "Affiliate", "code": "aff"})
        key = re.search(r"ksl_[\w-]+", html(browser.get("/lead-sources/")))[0]
        source = LeadSource.objects.get()
        assert find_by_key(key) == source
        assert key not in html(browser.get("/lead-sources/"))
        browser.post("/lead-sources/change/", {"ids": [source.pk], "action": "stop"})
        assert find_by_key(key) is None
        browser.post("/lead-sources/change/", {"ids": [source.pk], "action": "start"})
        browser.post("/lead-sources/change/", {"ids": [source.pk], "action": "renew"})
        assert find_by_key(key) is None

    @pytest.mark.parametrize(
        "path",
        [
            "campaigns/new/",
            "landing-pages/new/",
            "lead-rules/",
            "lead-rules/routing/new/",
            "lead-rules/score/new/",
            "lead-sources/",
            "lead-sources/new/",
        ],
    )
    def test_agents_set_nothing_up(self, cast, browse, path):
        assert browse(cast.agent).get(f"/{path}").status_code == 403

    def test_another_brands_rows_are_missing(self, cast, browse):
        foreign = Campaign.objects.create(brand=cast.other_brand, code="x", name="X")
        for path in ("", "edit/"):
            assert browse(cast.marketing).get(f"/campaigns/{foreign.pk}/{path}").status_code == 404


@pytest.mark.parametrize("address", ["/leads/", "/clients/"])
def test_the_owner_is_a_column_for_those_who_reach_people_of_others(cast, lead, browse, address):
    """An agent with books of their own only would read their own name in each row."""
    for person, shows in ((cast.agent, False), (cast.desk_head, True), (cast.administrator, True)):
        heads = re.findall(r"<th[^>]*>(.*?)</th>", html(browse(person).get(address)), re.S)
        assert any("Owner" in head for head in heads) is shows and len(heads) > 5, person
