"""Whose address we see behind proxies, and that nobody serves behind one that was not counted."""

import pytest

pytestmark = pytest.mark.django_db
SIGN_IN = "/accounts/login/"


@pytest.fixture
def production(settings):
    settings.REFUSE_UNCOUNTED_PROXIES, settings.TRUSTED_PROXIES = True, 0
    return settings


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.4", "172.18.0.1", "fd00::2", "::1", ""])
def test_a_private_peer_that_passes_on_addresses_is_refused(production, client, caplog, peer):
    answer = client.get(SIGN_IN, headers={"x-forwarded-for": "203.0.113.9"}, REMOTE_ADDR=peer)
    assert answer.status_code == 400
    assert "KEELSON_TRUSTED_PROXIES is 0" in answer.content.decode()
    assert "KEELSON_TRUSTED_PROXIES is 0" in caplog.text


def test_a_counted_proxy_is_served(production, client):
    production.TRUSTED_PROXIES = 1
    assert client.get(SIGN_IN, headers={"x-forwarded-for": "203.0.113.9"}, REMOTE_ADDR="10.0.0.4").status_code == 200


def test_a_private_peer_that_speaks_for_itself_is_served(production, client):
    assert client.get(SIGN_IN, REMOTE_ADDR="10.0.0.4").status_code == 200


def test_a_stranger_who_writes_the_header_is_served_and_not_believed(production, client):
    assert client.get(SIGN_IN, headers={"x-forwarded-for": "10.0.0.1"}, REMOTE_ADDR="8.8.8.8").status_code == 200


def test_the_probe_is_answered_through_any_proxy(production, client):
    answer = client.get("/healthz", headers={"x-forwarded-for": "203.0.113.9"}, REMOTE_ADDR="10.0.0.4")
    assert answer.status_code == 200


def test_without_production_settings_a_proxy_does_no_harm(client):
    assert client.get(SIGN_IN, headers={"x-forwarded-for": "203.0.113.9"}, REMOTE_ADDR="10.0.0.4").status_code == 200
