"""`bench imports` on a few clients: each is imported once, with its number and its event."""

import pytest

from bench import imports

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_client_of_the_file_is_imported_once(monkeypatch):
    monkeypatch.setattr(imports, "own_database", lambda name: pytest.MonkeyPatch.context())
    measured = {figure.name: figure for figure in imports.run("tiny")}
    assert measured["clients, numbers or events missing or twice"].value == 0
