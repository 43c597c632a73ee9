"""What we ship for servers of one's own agrees with itself; `make production` proves that it works."""

import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(settings.BASE_DIR)
PAGES = sorted((ROOT / "docs" / "operations").glob("*.md"))
SITE = (ROOT / "deploy" / "nginx" / "keelson.conf").read_text()
ENVIRONMENT = dict(
    line.split("=", 1)
    for line in (ROOT / "deploy" / "systemd" / "keelson.env").read_text().splitlines()
    if line and not line.startswith("#")
)


def test_the_site_is_one_proxy_and_counted_as_such():
    assert "X-Forwarded-For $proxy_add_x_forwarded_for" in SITE
    assert ENVIRONMENT["KEELSON_TRUSTED_PROXIES"] == "1"


def test_containers_are_told_of_the_proxies_in_front():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert compose["services"]["web"]["environment"]["KEELSON_TRUSTED_PROXIES"] == "${KEELSON_TRUSTED_PROXIES:-0}"


def test_the_site_takes_requests_in_whole_and_limits_each_address():
    assert "proxy_request_buffering" not in SITE.replace("(proxy_request_buffering is on)", "")
    for directive in ("limit_req zone=", "limit_conn ", "client_body_timeout ", "client_header_timeout "):
        assert directive in SITE


def test_the_sample_of_settings_names_only_what_is_documented():
    documented = (ROOT / "docs" / "operations.md").read_text()
    assert not [name for name in ENVIRONMENT if f"`{name}`" not in documented]


def test_roles_are_made_without_rights_beyond_logging_in():
    roles = (ROOT / "deploy" / "roles.sql").read_text()
    made = re.findall(r"CREATE ROLE (\w+) ([A-Z ]+);", roles)
    assert {name for name, _rights in made} == {"keelson", "keelson_app"}
    assert {rights for _name, rights in made} == {"LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_of_the_handbook_name_what_exists(page):
    text = page.read_text()
    assert not sorted(set(re.findall(r"manage\.py (\w+)", text)) - set(get_commands()))
    assert not [name for name in re.findall(r"\bdeploy/[\w./-]*\w", text) if not (ROOT / name).exists()]
    assert not [link for link in re.findall(r"\]\(([\w./-]+)", text) if not (page.parent / link).exists()]


def test_each_page_of_the_handbook_is_linked_from_its_front():
    front = (ROOT / "docs" / "operations.md").read_text()
    assert PAGES
    assert not [page.name for page in PAGES if f"(operations/{page.name})" not in front]


def test_continuous_integration_installs_as_on_servers_of_ones_own():
    assert "_production" in (ROOT / ".ci" / "run").read_text()
