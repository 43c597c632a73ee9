import pytest
from django.db import OperationalError

from crm.pages import health


@pytest.mark.django_db
def test_health_tells_that_database_and_queue_answer(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"database": True, "queue": True}
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_a_queue_that_is_away_is_told_but_pages_still_serve(client, settings):
    settings.REDIS_URL = "unix:///nowhere/redis.sock?db=0"
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"database": True, "queue": False}


@pytest.mark.django_db
def test_a_database_that_is_away_takes_the_instance_out_of_service(client, monkeypatch):
    def refuse():
        raise OperationalError("the database system is shutting down")

    monkeypatch.setattr(health.connection, "cursor", refuse)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["database"] is False


def test_health_takes_no_posts(client):
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["127.0.0.1:8000", "10.0.3.7:8000", "not a host"])
def test_a_probe_needs_neither_our_host_name_nor_tls(client, settings, host):
    """Production settings; the supervisor, containers and load balancers ask by address and over plain http."""
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["crm.example.com"], True
    answer = client.get("/healthz", headers={"host": host})
    assert (answer.status_code, answer.json()) == (200, {"database": True, "queue": True})


def test_everything_but_the_probe_still_asks_for_host_name_and_tls(client, settings):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["crm.example.com"], True
    assert client.get("/accounts/login/", headers={"host": "127.0.0.1:8000"}).status_code == 400
    assert client.get("/accounts/login/", headers={"host": "crm.example.com"}).status_code == 301
    assert client.get("/healthz/", headers={"host": "127.0.0.1:8000"}).status_code == 400
