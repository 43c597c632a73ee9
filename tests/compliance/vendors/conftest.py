from collections.abc import Iterator

import pytest

from compliance.models import ScreeningVendor
from tests.brand_policies import set_policies
from tests.compliance.vendors.running import RunningVendor, make_vendor, running_vendor
from tests.sandbox.psp.running import webhook_catcher


@pytest.fixture
def sandbox() -> Iterator[RunningVendor]:
    with webhook_catcher() as catcher, running_vendor(catcher) as running:
        yield running


@pytest.fixture
def vendor(cast, sandbox) -> ScreeningVendor:
    """A brand whose vendor screens alone."""
    set_policies(cast.brand, screened_by="vendor")
    return make_vendor(cast.brand, sandbox.url)
