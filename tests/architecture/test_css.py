"""Tabler's stylesheet is cut to what pages use (`make css`): nothing that a page uses may be missing from what was cut."""

from pathlib import Path

import pytest
from django.conf import settings

from deploy import purge_css


@pytest.fixture(scope="module")
def words():
    return purge_css.words_used()


@pytest.mark.parametrize(("whole", "cut"), purge_css.FILES.items())
def test_no_class_that_a_page_uses_is_missing(words, whole, cut):
    wanted = purge_css.purged((purge_css.FOLDER / whole).read_text(encoding="utf-8"), words)
    committed = (purge_css.FOLDER / cut).read_text(encoding="utf-8")
    missing = set(purge_css.CLASS.findall(wanted)) - set(purge_css.CLASS.findall(committed))
    assert not missing, f"run `make css`: {sorted(missing)}"


def test_what_nobody_uses_is_gone(words):
    css = "/*! licence */:root{--tblr-a:1px;--tblr-b:2px}.btn,.never-used{margin:var(--tblr-a)}@media print{.never-used{top:0}}"
    left = purge_css.purged(css, words)
    assert left.split() == ["/*!", "licence", "*/", ":root{--tblr-a:1px;}", ".btn{margin:var(--tblr-a)}"]


def test_pages_load_the_cut_stylesheets_only():
    heads = [path for path in Path(settings.BASE_DIR, "templates").rglob("*.html") if "tabler" in path.read_text()]
    assert heads
    assert not [path for path in heads if "tabler.min" in path.read_text() or "tabler.rtl.min" in path.read_text()]
