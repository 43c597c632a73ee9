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
