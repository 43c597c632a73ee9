"""The two records side by side, the address that leads on, and the card from which a merge is undone."""

import pytest

from clients.models import Client, ClientMerge
from crm.models import AccessEvent
from tests.cast import signed_in

pytestmark = pytest.mark.django_db


def side_by_side(browser, first, second):
    answer = browser.get(f"/clients/{first.pk}/merge/{second.pk}/")
    assert answer.status_code == 200
    return answer, {name: "kept" for name in answer.context["form"].fields if name.startswith("take_")} | {
        "seen": answer.context["form"].seen_now
    }


def test_fields_are_chosen_side_by_side(cast, first, second, django_assert_max_num_queries):
    browser = signed_in(cast.desk_head)
    with django_assert_max_num_queries(60):
        answer, data = side_by_side(browser, first, second)
    text = answer.content.decode()
    assert "a.weber@example.org" not in text, "a head of desk sees addresses masked"
    assert "Calls: 1" in text and "Follow-ups: 1" in text
    chosen = {name: field.initial for name, field in answer.context["form"].fields.items() if name.startswith("take_")}
    assert chosen == {"take_email": "kept", "take_phone": "kept", "take_last_name": "merged", "take_country": "kept"}
    sent = browser.post(
        f"/clients/{first.pk}/merge/{second.pk}/", data | {"take_country": "merged", "reason": "One person"}
    )
    assert sent["Location"] == f"/clients/{first.pk}/"
    kept = Client.objects.get(pk=first.pk)
    assert (kept.country, kept.last_name) == ("AT", "")
    viewed = AccessEvent.objects.filter(kind="view", target="clients.client:merge")
    assert set(viewed.values_list("client_id", flat=True)) == {first.pk, second.pk}


def test_a_change_in_between_is_shown_before_it_is_decided(cast, first, second):
    browser = signed_in(cast.desk_head)
    _answer, data = side_by_side(browser, first, second)
    Client.objects.filter(pk=second.pk).update(city="Graz")
    sent = browser.post(f"/clients/{first.pk}/merge/{second.pk}/", data)
    assert sent.status_code == 422
    assert "Graz" in sent.content.decode() and not ClientMerge.objects.exists()


def test_the_old_address_leads_on_and_its_tabs_stay_open(cast, first, second):
    browser = signed_in(cast.desk_head)
    _answer, data = side_by_side(browser, first, second)
    browser.post(f"/clients/{first.pk}/merge/{second.pk}/", data)
    assert browser.get(f"/clients/{second.pk}/")["Location"] == f"/clients/{first.pk}/"
    tab = browser.get(f"/clients/{second.pk}/tab/timeline/").content.decode()
    assert f"merged into #{first.pk}" in tab
    page = browser.get(f"/clients/{first.pk}/").content.decode()
    row = ClientMerge.objects.get()
    assert f"/merges/{row.pk}/undo/" in page
    assert f"/merges/{row.pk}/undo/" not in signed_in(cast.agent).get(f"/clients/{first.pk}/").content.decode()
    done = browser.post(f"/merges/{row.pk}/undo/", {"reason": "Two sisters"})
    assert done["Location"] == f"/clients/{first.pk}/"
    assert browser.get(f"/clients/{second.pk}/").status_code == 200


def test_the_registered_record_is_kept_by_itself(cast, first):
    browser = signed_in(cast.desk_head)
    answer = browser.get(f"/clients/{first.pk}/merge/", {"q": "Weber"})
    assert f"/clients/{cast.client.pk}/merge/{first.pk}/" in answer.content.decode()


def test_merged_leads_are_in_no_list(cast, first, second):
    browser = signed_in(cast.desk_head)
    _answer, data = side_by_side(browser, first, second)
    browser.post(f"/clients/{first.pk}/merge/{second.pk}/", data)
    link = f"/clients/{second.pk}/"
    for address in ("/leads/", "/clients/", "/clients/?stage=closed"):
        assert link not in browser.get(address).content.decode()
