"""Sending a document through the pages of the client portal, as a browser without scripts does."""

from __future__ import annotations

from typing import Any

from django.test import Client as Browser

from kyc.models import UploadDraft
from tests.kyc.factories import file_of


def begin(browser: Browser, kind: str = "passport", *, proof: str = "identity", country: str = "DE") -> UploadDraft:
    """Choose a document; the draft that the pages go to."""
    answer = browser.post(f"/portal/documents/upload/{proof}/", {"kind": kind, "country": country})
    assert answer.status_code == 302, answer.content.decode()
    return UploadDraft.objects.get(pk=int(answer["Location"].rstrip("/").rpartition("/")[2]))


def send(
    browser: Browser,
    content: bytes,
    kind: str = "passport",
    *,
    side: str = "front",
    name: str = "passport.jpg",
    **more: Any,
) -> list[Any]:
    """Choose a document, add one file and send it; the answers to the file and to sending."""
    proof = "identity" if kind in ("passport", "id_card", "residence_permit", "driving_licence") else kind
    home = f"/portal/documents/uploads/{begin(browser, kind, proof=proof).pk}"
    added = browser.post(f"{home}/pages/", {"side": side, "file": file_of(content, name), **more})
    return [added, browser.post(f"{home}/send/")]
