"""The documents' part of `bench reconcile` on a few clients: every figure is measured and says what is good."""

import pytest

from bench import reconcile_documents
from wallet.models import IssuedDocument

pytestmark = pytest.mark.django_db


def test_every_figure_of_documents_is_measured():
    figures = reconcile_documents.run("tiny")
    assert [figure.unit for figure in figures] == ["s", "s", "rows/s", "MB", "rows/s", "MB", "documents/s", "MB"]
    assert figures[0].name == "statement of 3 pages in a warm worker"
    assert all(figure.goal and figure.value >= 0 for figure in figures)
    assert IssuedDocument.objects.count() == 8
