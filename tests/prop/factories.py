"""Programmes on sale, for tests."""

from __future__ import annotations

from typing import Any

from crm import approvals
from prop.models import ProgrammeVersion, PublishProposal
from prop.programmes.drafts import create_programme, draft_version
from prop.programmes.publishing import propose_publication
from prop.programmes.templates import TEMPLATES
from tests.trading.factories import make_server, make_type
from trading.models import TradingServer


def text_of(code: str = "two-step") -> bytes:
    return TEMPLATES[code][1].format(currency="EUR", account="Challenge").encode()


def make_draft(cast: Any, code: str = "two-step", *, server: TradingServer | None = None) -> ProgrammeVersion:
    """A draft by the administrator, for an account type with simulated money."""
    server = server or make_server()
    make_type(cast.brand, server, name="Challenge", is_demo=True, is_default=False, kyc_level=0)
    programme = create_programme(brand=cast.brand, name=code, description="", actor=cast.administrator)
    return draft_version(programme_id=programme.pk, content=text_of(code), actor=cast.administrator)


def proposed(cast: Any, version: ProgrammeVersion) -> PublishProposal:
    return propose_publication(version_id=version.pk, actor=cast.administrator, reason="New season")


def make_version(cast: Any, code: str = "two-step", *, server: TradingServer | None = None) -> ProgrammeVersion:
    """A version on sale, published by finance."""
    version = make_draft(cast, code, server=server)
    approvals.approve(PublishProposal, proposed(cast, version).pk, actor=cast.finance)
    version.refresh_from_db()
    return version
