from collections.abc import Iterator
from pathlib import Path

import pytest

from kyc.models import KycProvider, ProviderCheck
from kyc.providers import checks
from tests.brand_policies import set_policies
from tests.kyc.factories import files_read_once, registered, with_policy
from tests.kyc.providers.running import RunningProvider, make_provider, running_provider
from tests.sandbox.psp.running import webhook_catcher


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningProvider]:
    with webhook_catcher() as catcher, running_provider(tmp_path / "kyc.sqlite", catcher) as running, files_read_once():
        yield running


@pytest.fixture
def provider(cast, sandbox) -> KycProvider:
    registered(cast.client)
    with_policy(cast.brand)
    set_policies(cast.brand, kyc_verified_by="provider")
    return make_provider(cast.brand, sandbox.url)


@pytest.fixture
def check(cast, provider) -> ProviderCheck:
    """A check that the client has started: the applicant is there, and it is the client's turn."""
    started = checks.start_check(client_id=cast.client.pk, actor=cast.client_user)
    return checks.send_check(started.pk)
