"""One machine, two names: whichever a person typed, live updates, returns and links keep to it."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import RequestFactory

from crm.web import hosts, live
from launcher.supervisor.plan import Options


@pytest.mark.parametrize(
    ("address", "host", "becomes"),
    [
        ("http://localhost:8001", "127.0.0.1", "http://127.0.0.1:8001"),
        ("http://127.0.0.1:8001/live", "localhost", "http://localhost:8001/live"),
        ("http://localhost", "127.0.0.1", "http://127.0.0.1"),
        ("https://crm.example.com/live", "localhost", "https://crm.example.com/live"),
        ("http://localhost:8001", "crm.example.com", "http://localhost:8001"),
        ("http://localhost:8001", "", "http://localhost:8001"),
    ],
)
def test_an_address_takes_the_readers_name_of_this_machine(address, host, becomes):
    assert hosts.under(address, host) == becomes


def test_the_printed_address_has_a_name_because_passkeys_need_one():
    for bind in ("127.0.0.1", "0.0.0.0", "::"):
        options = Options(Path("/nowhere"), bind=bind)
        assert options.public_base_url == "http://localhost:8000"
        assert options.public_live_url == "http://localhost:8001"
    assert Options(Path("/nowhere"), bind="10.0.0.7").public_base_url == "http://10.0.0.7:8000"


@pytest.mark.parametrize("host", hosts.LOOPBACK)
def test_pages_hear_the_live_process_under_the_name_they_came_by(settings, host):
    settings.BASE_URL, settings.LIVE_URL = "http://localhost:8000", "http://localhost:8001"
    request = RequestFactory(headers={"host": f"{host}:8000"}).get("/")
    assert hosts.for_reader(settings.LIVE_URL, request) == f"http://{host}:8001"
    origin = f"http://{host}:8000".encode()
    assert live.allowed_origin({"headers": [(b"origin", origin)]}) == origin.decode()


def test_both_names_may_be_spoken_to_and_a_strangers_site_may_not():
    assert set(hosts.names_of(settings.LIVE_URL)) <= set(settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["connect-src"])
    assert live.allowed_origin({"headers": [(b"origin", b"http://evil.example:8000")]}) is None


@pytest.mark.django_db
@pytest.mark.parametrize("host", hosts.LOOPBACK)
def test_a_page_names_the_live_address(cast, browse, host):
    page = browse(cast.agent).get("/notifications/", headers={"host": f"{host}:8000"}).content.decode()
    assert f'data-live="http://{host}:8001/live/"' in page
