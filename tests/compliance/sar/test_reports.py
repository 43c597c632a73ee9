"""Reports: drafted from a case, complete before they are submitted, decided by a second person, filed, amended."""

import datetime as dt
import hashlib
import os

import pytest
from django.utils import timezone
from lxml import etree

from compliance.sar import entities, goaml, reports
from compliance.sar.forms import EntityForm
from compliance.sar.models import ReportingEntityProposal, SuspicionReport
from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import Notification
from kyc.corporate.companies import CompanyDetails, register_company
from kyc.corporate.people import PersonDetails, add_person
from tests.compliance.sar.factories import case_of, deputy, known, reporting, submitted, written

pytestmark = pytest.mark.django_db
# UNODC's schema has no licence and isn't here; whoever has a copy checks against it, too.
OFFICIAL = os.environ.get("KEELSON_GOAML_XSD", "")


def official_errors(xml: bytes) -> list[str]:
    if not OFFICIAL:
        return []
    schema = etree.XMLSchema(etree.parse(OFFICIAL))
    tree = etree.fromstring(xml)
    for code in tree.iter("indicator", "type"):
        code.text = "-"
    return [] if schema.validate(tree) else [str(line) for line in schema.error_log]


def test_a_report_is_drafted_completed_and_decided_by_two(cast):
    case, second = case_of(cast), deputy(cast)
    report = reports.draft_report(case_id=case.pk, kind="STR", actor=cast.mlro)
    assert "velocity_count" in report.content["narrative"] and report.chosen.count() == 2
    with pytest.raises(WrongState, match="isn't finished"):
        reports.draft_report(case_id=case.pk, kind="SAR", actor=cast.mlro)
    with pytest.raises(DomainError, match="Reporting entity"):
        reports.submit_report(report_id=report.pk, actor=cast.mlro)
    reporting(cast)
    with pytest.raises(DomainError) as refused:
        reports.submit_report(report_id=report.pk, actor=cast.mlro)
    lines = "\n".join(refused.value.reasons)
    for field in ("Date of birth", "Nationality", "Identification", "Occupation", "Indicators"):
        assert field in lines
    known(cast)
    written(report, cast.mlro)
    report = reports.submit_report(report_id=report.pk, actor=cast.mlro)
    assert Notification.objects.filter(user=second, kind="compliance.report_waits").count() == 1
    assert not Notification.objects.filter(kind="compliance.report_waits").exclude(user=second).exists()

    for verb in (reports.approve_report, lambda **given: reports.return_report(**given, reason="x")):
        with pytest.raises(NotAllowed, match="second person"):
            verb(report_id=report.pk, actor=cast.mlro)
    reports.return_report(report_id=report.pk, actor=second, reason="Name the bank account")
    report.refresh_from_db()
    assert (report.state, report.xml, report.content["note"]) == ("draft", b"", "Name the bank account")
    report = reports.submit_report(report_id=report.pk, actor=cast.mlro)
    before = report.xml
    assert hashlib.sha256(before).hexdigest() == report.xml_sha256
    reports.approve_report(report_id=report.pk, actor=second)
    for reference, day in (("", timezone.localdate()), ("FIU-1", timezone.localdate() + dt.timedelta(days=1))):
        with pytest.raises(DomainError):
            reports.file_report(report_id=report.pk, actor=cast.mlro, reference=reference, filed_on=day)
    reports.file_report(report_id=report.pk, actor=cast.mlro, reference="FIU-1", filed_on=timezone.localdate())
    report.refresh_from_db()
    assert (report.state, report.xml) == ("filed", before)
    amendment = reports.amend_report(report_id=report.pk, actor=second)
    amendment = reports.submit_report(report_id=amendment.pk, actor=second)
    reports.approve_report(report_id=amendment.pk, actor=cast.mlro)
    with pytest.raises(NotAllowed, match="second person"):  # approved and not filed yet: still not by who wrote it
        reports.decide_not_to_report(report_id=amendment.pk, actor=second, reason="Nothing new")
    assert etree.fromstring(amendment.xml).findtext("fiu_ref_number") == "FIU-1"
    reports.decide_not_to_report(report_id=amendment.pk, actor=cast.mlro, reason="Nothing new")
    dropped = SuspicionReport.objects.get(pk=amendment.pk)
    assert (dropped.state, dropped.content["note"]) == ("not_reported", "Nothing new")


def test_the_xml_says_what_the_records_say(cast):
    case, entity = case_of(cast), reporting(cast)
    known(cast)
    report = submitted(cast, case)
    tree = etree.fromstring(report.xml)
    assert goaml.write(report.content, entity) == report.xml, "the same content gives the same bytes"
    assert goaml.errors_of(report.xml, entity) == [] and official_errors(report.xml) == []
    assert [child.tag for child in tree][:8] == [
        "rentity_id",
        "rentity_branch",
        "submission_code",
        "report_code",
        "entity_reference",
        "submission_date",
        "currency_code_local",
        "reporting_person",
    ]
    assert len(tree.findall("transaction")) == 2
    client = tree.find("transaction/t_from_my_client/from_person")
    assert (client.findtext("last_name"), client.findtext("passport_number")) == ("Weber", "C01X00T47")
    assert client.findtext("identification/type") == "C" and client.findtext("phones/phone/tph_country_prefix") == "+49"
    assert tree.findtext("transaction/t_to/to_entity/name") == cast.brand.legal_name
    assert tree.findtext("reason").endswith("<&>") and "\x02" not in tree.findtext("reason")
    tree.find("transaction").remove(tree.find("transaction/amount_local"))
    assert "amount_local" in str(goaml.errors_of(etree.tostring(tree), entity))


def test_a_company_is_reported_with_its_people(cast):
    case, entity = case_of(cast), reporting(cast)
    day = dt.date(2019, 1, 1)
    details = CompanyDetails("Weber Ltd", "HE 1", "Ltd", "CY", "2 Side Street, 3030 Limassol", "Trading", day, "")
    register_company(client_id=cast.client.pk, details=details, actor=cast.client.user)
    person = PersonDetails("Ana", "Núñez", dt.date(1980, 2, 3), "ES", "ES")
    add_person(client_id=cast.client.pk, details=person, actor=cast.client.user, is_director=True)
    report = submitted(cast, case, "SAR")
    assert official_errors(report.xml) == [] and goaml.errors_of(report.xml, entity) == []
    company = etree.fromstring(report.xml).find("activity/report_parties/report_party/entity")
    directors = {director.findtext("last_name") for director in company.findall("director_id")}
    assert company.findtext("incorporation_number") == "HE 1" and directors == {"Weber", "Núñez"}


def test_an_fiu_schema_decides_and_can_do_no_harm(cast):
    case, entity = case_of(cast), reporting(cast)
    known(cast)
    strict = goaml.Path(goaml.__file__).with_name("goaml.xsd").read_text().replace('value="STR"', 'value="UTR"')
    give = lambda text: entities.propose_reporting_entity(  # noqa: E731
        legal_entity_id=entity.pk, actor=cast.mlro, values={}, schema=("fiu.xsd", text.encode()), reason="New schema"
    )
    for bad in (
        "no schema",
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="/etc/passwd"/></xs:schema>',
        " " * (goaml.SCHEMA_BYTES_MAX + 1),
    ):
        with pytest.raises(DomainError):
            give(bad)
    approvals.approve(ReportingEntityProposal, give(strict).pk, actor=deputy(cast))
    report = reports.draft_report(case_id=case.pk, kind="STR", actor=cast.mlro)
    written(report, cast.mlro)
    with pytest.raises(DomainError, match="report_code"):
        reports.submit_report(report_id=report.pk, actor=cast.mlro)


def test_how_an_entity_reports_is_decided_within_the_circle(cast, browse):
    entity, second = reporting(cast), deputy(cast)
    page = browse(cast.mlro)
    address = f"/aml/reports/entities/{entity.pk}/"
    form = EntityForm(entity=entity)
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items() if name != "schema"}
    unchanged = page.post(address, {**data, "reason": "Nothing new"})
    assert unchanged.status_code == 422 and "reports already" in unchanged.content.decode()
    page.post(address, {**data, "last_name": "Deputy", "code_passport": "P", "reason": "New officer"})
    shown = browse(second).get(address).content.decode()
    assert "Deputy" in shown and "New officer" in shown and "Approve" in shown
    for other in (cast.kyc_officer, cast.administrator):
        assert "reports to its FIU" not in browse(other).get("/approvals/").content.decode()
    proposal = ReportingEntityProposal.objects.get()
    with pytest.raises(WrongState):
        entities.propose_reporting_entity(
            legal_entity_id=entity.pk, actor=second, values={"city": "Paphos"}, reason="Moved"
        )
    approvals.approve(ReportingEntityProposal, proposal.pk, actor=second)
    entity.refresh_from_db()
    assert (entity.last_name, entity.code("passport"), entity.changed_by) == ("Deputy", "P", second)
