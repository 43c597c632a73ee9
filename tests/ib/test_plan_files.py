"""Plans as YAML: what goes out comes in the same, and what can't be meant names its line or key."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from crm.choices import Jurisdiction
from crm.errors import DomainError
from ib import plans
from ib.agreements.cards import ComponentRow, CpaRow, RateCard, VersionTerms, rate_card
from ib.agreements.files import read_yaml, write_yaml
from ib.models import PlanVersion

pytestmark = pytest.mark.django_db
START = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
WHOLE = VersionTerms(
    starts_at=START,
    currency="USD",
    card=RateCard(
        {"fx_majors": Decimal("7.12345678")},
        {1: Decimal("0.6"), 3: Decimal("0.12345678")},
        {("metals", 2): Decimal("1E-8")},
        (
            ComponentRow("commission", "", "", Decimal("0.125"), Decimal(40)),
            ComponentRow("lot", "metals", "real\\raw*", Decimal(3)),
            ComponentRow("point", "fx_majors", "", Decimal("3.5"), Decimal(20)),
            ComponentRow("spread", "", "", Decimal("0.3"), None, Decimal("0.75")),
        ),
        (CpaRow(("NO", "DE"), Decimal("300.5"), Decimal(250), Decimal("1.5"), 60), CpaRow((), Decimal(100))),
    ),
    min_hold_seconds=61,
    account_groups=["real*", "no: yes"],
    is_pool=False,
    clawback_days=0,
    network="own",
    min_pips=Decimal("1.5"),
    excluded_symbols=["BTC*"],
    excluded_countries=["NO", "US"],
    excluded_accounts=["real\\cent*"],
    excluded_shared=["device"],
    excluded_trades=["hedged", "bonus_funded"],
    cap_day=Decimal("100.5"),
    cap_revenue=Decimal("33.5"),
    is_capped_together=True,
    passed_percent=Decimal("12.5"),
    markup_pips=Decimal("0.7"),
)


def test_a_version_goes_out_and_comes_in_the_same(network, cast):
    """`NO` is Norway and no truth value, and a hundredth of a millionth keeps its place."""
    type(cast.brand).objects.filter(pk=cast.brand.pk).update(jurisdiction=Jurisdiction.SC)
    version = plans.draft_version(plan_id=network.version.plan_id, actor=cast.ib_manager, terms=WHOLE)
    text = write_yaml(PlanVersion.objects.get(pk=version.pk))
    assert read_yaml(text.encode(), starts_at=START.replace(year=2030)) == WHOLE
    assert "levels:\n  1: 60\n" in text and "value: 12.5" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("currency: EUR\nspread: 1", "Unknown key “spread”"),
        ("currency: EUR\ncomponents:\n- pays: lot\n  value: 1\n  colour: red", "Unknown key “components.0.colour”"),
        ("rates: {fx_majors: 1}", "“currency” is missing"),
        ("currency: EUR\nrates:\n  fx_majors: 1\n  fx_majors: 2", "Line 4: “fx_majors” comes twice"),
        ("currency: EUR\nrates: {fx_majors: -1}", "“rates.fx_majors”"),
        ("currency: EUR\nrates: {fx_majors: .nan}", "“rates.fx_majors”"),
        ("currency: EUR\nlevels: {1: 101}", "“levels.1”"),
        ("currency: EUR\nlevels: {9: 1}", "“levels.9”"),
        ("currency: XXX\nrates: {fx_majors: 1}", "Unknown currency or country: XXX"),
        ("currency: EUR\nexcluded_countries: [Q9]", "“excluded_countries.0”"),
        ("currency: EUR\nexcluded_countries: [ZZ]", "Unknown currency or country: ZZ"),
        ("currency: EUR\nrates: &a {fx_majors: 1}\nfixed: *a", "Line 3: references and tags"),
        ("currency: !!python/name:os.system EUR", "Line 1: references and tags"),
        ("currency: EUR\n  rates: [", "isn't valid YAML"),
        ("currency: EUR\n" + "x: [" * 2000, "more entries|isn't valid YAML"),
        ("[]", "the file"),
        ("", "the file"),
        ("#" * 64_001, "larger than a plan"),
        (b"\xff\xfe\x00", "UTF-8|isn't valid YAML"),
    ],
)
def test_a_file_that_cannot_be_meant_says_where(text, message):
    with pytest.raises(DomainError, match=message):
        read_yaml(text if isinstance(text, bytes) else text.encode(), starts_at=START)


@given(st.binary(max_size=300) | st.text(alphabet="abc:-[]{}&*!#\n \"'|>?1", max_size=200).map(str.encode))
def test_any_bytes_are_terms_or_a_clear_refusal(content):
    try:
        read_yaml(content, starts_at=START)
    except DomainError as error:
        assert str(error)


def test_a_file_becomes_the_next_draft_and_a_wrong_one_is_refused_on_the_page(network, cast, browse):
    browser, plan = browse(cast.ib_manager), network.version.plan
    text = browser.get(reverse("ib_version_file", args=[network.version.pk])).content
    address = reverse("ib_version_upload", args=[plan.pk])
    browser.post(address, {"file": SimpleUploadedFile("plan.yaml", text)})
    draft = plan.versions.get(number=2)
    assert (draft.state, rate_card(draft)) == ("draft", rate_card(network.version))
    wrong = text.replace(b"fx_majors: 10", b"fx_majors: 10\n  fx_majors: 11")
    page = browser.post(address, {"file": SimpleUploadedFile("plan.yaml", wrong)})
    assert page.status_code == 422 and "comes twice" in page.content.decode()
    loss = text.replace(b"components: []", b"components: [{pays: loss, value: 10}]")
    page = browser.post(address, {"file": SimpleUploadedFile("plan.yaml", loss)})
    assert "allow paying partners a share of client losses" in page.content.decode()
    assert plan.versions.count() == 2
