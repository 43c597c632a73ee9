"""Bundles: every part is in, in its order, and what a stylesheet names is still found from the bundle's folder."""

import posixpath
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from crm.project import bundles

STATIC = Path(settings.BASE_DIR) / "static"


@pytest.mark.parametrize("name", bundles.BUNDLES)
def test_a_bundle_holds_its_parts_in_order(name):
    text = Path(finders.find(name)).read_text()
    places = [
        text.index((STATIC / part).read_text().rstrip())
        for part in bundles.BUNDLES[name]
        if "vendor/tabler" not in part
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("name", [name for name in bundles.BUNDLES if name.endswith(".css")])
def test_what_a_bundled_stylesheet_names_exists(name):
    text = Path(finders.find(name)).read_text()
    addresses = {found[2] for found in bundles.ADDRESS.finditer(text)}
    assert any("inter-latin" in address for address in addresses)
    for address in addresses:
        assert finders.find(posixpath.normpath(posixpath.join(posixpath.dirname(name), address))), address
    assert "@import" not in text and "@charset" not in text, "they hold at the beginning of a file only"


def test_a_bundle_is_made_anew_when_a_part_changed(tmp_path, settings, monkeypatch):
    settings.BASE_DIR = tmp_path
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.js").write_text("one()")
    (tmp_path / "static" / "b.js").write_text("two()")
    monkeypatch.setitem(bundles.BUNDLES, "bundles/test.js", ("a.js", "b.js"))
    assert bundles.current("bundles/test.js").read_text() == "one()\n;\ntwo()\n;"
    (tmp_path / "static" / "b.js").write_text("three()")
    made = bundles.current("bundles/test.js")
    assert made.read_text() == "one()\n;\nthree()\n;"


def test_the_finder_lists_every_bundle_for_collectstatic():
    listed = {name: Path(storage.path(name)) for name, storage in bundles.BundleFinder().list(None)}
    assert listed.keys() == bundles.BUNDLES.keys() and all(path.exists() for path in listed.values())
    assert finders.find("bundles/none.css") is None
