"""Reports that Adyen announces: fetched by a worker, from Adyen's own hosts only, imported once, missed when they do not come."""

import datetime as dt
import json

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from crm.errors import NotAllowed, WrongState
from crm.models import AuditEvent, Notification
from sandbox.psp.dialects.adyen import Adyen, hmac_key, signature
from sandbox.psp.dialects.adyen_transfers import PLATFORM
from sandbox.psp.dialects.adyen_transfers import signature as whole_signature
from tests.wallet.card_payments import settler, starter
from tests.wallet.psp.test_psp_adyen_transfers import approved, finish, outside, set_keys  # noqa: F401 (its fixture)
from wallet.choices.psp import InboxState, Verdict
from wallet.choices.reconciliation import ReportState
from wallet.choices.withdrawals import WithdrawalState
from wallet.ledger.verification import verify
from wallet.models import AnnouncedReport, Break, Match, PspCall, PspMovement, SettlementImport, WebhookMessage
from wallet.psp import adapter_of
from wallet.psp.adyen.reports import hosts
from wallet.psp.errors import ForeignAddress, PspRefused
from wallet.psp.http import PspHttp
from wallet.psp.values import ReportNotice
from wallet.reconciliation import announced_reports
from wallet.reconciliation.announced_reports import BACK_OFF_SECONDS, fetch_again, fetch_report, note_missing_reports
from wallet.reconciliation.settlement_import import import_report
from wallet.withdrawals import sending

pytestmark = pytest.mark.django_db
KEY = "sandbox-api-key-adyen-platform-report"
HMAC = hmac_key("sandbox-webhook-secret-adyen-reports")
settled = settler(starter("scheme"))


@pytest.fixture
def platform(outside):
    """Transfers, and the report user of the balance platform."""
    set_keys(outside, platform_report_key=KEY, report_webhook_secret=HMAC)
    return outside


def days() -> dict[str, str]:
    today = timezone.now().date()
    return {"first": str(today - dt.timedelta(days=1)), "last": str(today + dt.timedelta(days=1))}


def sent(cast, outside, key="a", amount=200):
    withdrawal = approved(cast, outside, amount=amount, key=key)
    sending.send_payout(withdrawal.pk)
    finish(outside)
    outside.deliver(wait_for=3)
    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.SETTLED
    return withdrawal


def announce(outside, what="accounting", **more: str) -> AnnouncedReport:
    outside.running.control(f"adyen/{what}", days() | more)
    assert outside.deliver(wait_for=1) == [200]
    return AnnouncedReport.objects.latest("pk")


def due(report: AnnouncedReport) -> AnnouncedReport:
    """Its time has come; then what a worker does."""
    AnnouncedReport.objects.filter(pk=report.pk, state=ReportState.WAITING).update(due_at=timezone.now())
    fetch_report(report.pk)
    report.refresh_from_db()
    return report


# It comes


def test_an_accounting_report_that_is_announced_is_fetched_imported_and_matched_by_itself(cast, platform):
    sent(cast, platform)
    report = announce(platform)
    assert (report.state, report.kind) == (ReportState.WAITING, "accounting")
    assert WebhookMessage.objects.latest("pk").state == InboxState.DONE
    due(report)
    assert (report.state, report.attempts, report.outcome) == (ReportState.IMPORTED, 1, "")
    assert (report.report.covers, report.report.matched, report.report.breaks_found) == (["payout"], 1, 0)
    assert (report.report.file_name, report.report.imported_by) == (report.name, None)
    assert Match.objects.filter(leg="psp").count() == 1 and not Break.objects.exists()
    call = PspCall.objects.latest("pk")
    assert (call.status, call.operation.startswith("GET /adyen/balanceplatform/reportDownload/v1/")) == (200, True)
    assert verify().holds


def test_the_platform_s_report_user_may_log_in_by_name_and_password(cast, platform):
    sent(cast, platform)
    set_keys(platform, platform_report_user=f"report_1@BalancePlatform.{PLATFORM}")
    assert due(announce(platform)).state == ReportState.IMPORTED


def test_a_settlement_details_report_that_is_announced_is_fetched_by_its_signed_name(cast, platform):
    settled(cast, platform)
    platform.running.store.run("UPDATE movements SET created_at = created_at - 8 * 86400")
    first = str(timezone.now().date() - dt.timedelta(days=10))
    report = due(announce(platform, "report", first=first))
    assert (report.state, report.kind, report.report.matched) == (ReportState.IMPORTED, "settlement", 1)
    assert report.report.to_bank == 1 and verify().holds


def test_a_report_that_tells_of_nothing_of_ours_is_no_failure(cast, platform):
    report = due(announce(platform))
    assert (report.state, report.report) == (ReportState.EMPTY, None)
    assert not SettlementImport.objects.exists() and not Notification.objects.exists()


def test_other_reports_of_adyen_need_nothing_from_us(platform):
    body = json.dumps(
        {
            "data": {
                "fileName": "balanceplatform_balance_report_2026_11_01.csv",
                "downloadUrl": "https://evil.example/x",
                "reportType": "balanceplatform_balance_report",
            },
            "environment": "test",
            "type": "balancePlatform.report.created",
        }
    ).encode()
    assert platform.post({"hmacsignature": whole_signature(body, HMAC)}, body) == 200
    platform.process()
    assert WebhookMessage.objects.get().state == InboxState.IGNORED and not AnnouncedReport.objects.exists()


# It comes twice, forged, or together with a person's upload


def test_a_report_that_is_told_twice_is_imported_once(cast, platform):
    sent(cast, platform)
    platform.running.fault("webhook_duplicate", 2)
    platform.running.control("adyen/accounting", days())
    assert platform.deliver(wait_for=3) == [200] * 3
    platform.running.control("adyen/accounting", days())
    platform.deliver(wait_for=1)
    assert WebhookMessage.objects.filter(verdict=Verdict.DUPLICATE).count() >= 3
    report = due(AnnouncedReport.objects.get())
    assert (fetch_report(report.pk), due(report).state) == (ReportState.IMPORTED, ReportState.IMPORTED)
    assert SettlementImport.objects.count() == 1 and report.attempts == 1


def test_what_somebody_uploaded_before_is_that_report(cast, platform):
    sent(cast, platform)
    report = announce(platform)
    notice = ReportNotice(report.kind, report.name, report.address)
    content = b"".join(adapter_of(platform.psp).fetch_announced(notice))
    uploaded = import_report(
        psp_id=platform.psp.pk, file_name="mine.csv", content=content, actor=cast.finance, is_complete=True
    )
    assert (due(report).state, report.report) == (ReportState.IMPORTED, uploaded)
    assert SettlementImport.objects.count() == 1


def test_a_forged_message_announces_nothing(cast, platform):
    platform.running.fault("webhook_forge", times=1)
    platform.running.control("adyen/accounting", days())
    assert platform.deliver(wait_for=1) == [400]
    assert WebhookMessage.objects.get().verdict == Verdict.WRONG_SIGNATURE
    assert not AnnouncedReport.objects.exists()


def test_a_worker_that_was_killed_while_it_fetched_leaves_it_to_another_one_later(cast, platform):
    sent(cast, platform)
    report = announce(platform)
    assert announced_reports._claim(report.pk) is not None, "and then nothing was heard of it"
    assert (fetch_report(report.pk), announced_reports.due_reports()) == (ReportState.WAITING, [])
    assert (due(report).state, report.attempts) == (ReportState.IMPORTED, 2)


# It can't be fetched


def test_a_download_that_fails_is_tried_again_and_works(cast, platform):
    sent(cast, platform)
    report = announce(platform)
    platform.running.fault("outage", True, psp="adyen", times=1)
    due(report)
    assert (report.state, report.attempts) == (ReportState.WAITING, 1) and report.outcome
    assert dt.timedelta(seconds=50) < report.due_at - timezone.now() <= dt.timedelta(seconds=BACK_OFF_SECONDS[0])
    platform.running.fault("reset", True, psp="adyen", times=1)
    assert due(report).state == ReportState.WAITING
    assert (due(report).state, report.attempts, report.outcome) == (ReportState.IMPORTED, 3, "")
    assert not Notification.objects.filter(kind="wallet.report_not_fetched").exists()


def test_patience_ends_somebody_is_told_and_has_it_fetched_again(cast, platform, browse):
    sent(cast, platform)
    set_keys(platform, platform_report_key="")
    report = announce(platform)
    for _attempt in range(len(BACK_OFF_SECONDS) + 1):
        assert report.state == ReportState.WAITING
        due(report)
    assert (report.state, report.due_at) == (ReportState.FAILED, None) and "not set up" in report.outcome
    told = Notification.objects.get(user=cast.finance, kind="wallet.report_not_fetched")
    assert report.name in told.title and AuditEvent.objects.filter(action="wallet.report_not_fetched").count() == 1
    page = browse(cast.finance).get(told.url).content.decode()
    assert report.name in page and "not set up" in page and "Fetch again" in page
    address = reverse("wallet:report_fetch_again", args=[report.pk])
    assert address in page and address not in browse(cast.auditor).get(told.url).content.decode()
    set_keys(platform, platform_report_key=KEY)
    assert browse(cast.finance).post(address).status_code == 302
    report.refresh_from_db()
    assert (report.state, report.attempts) == (ReportState.WAITING, 0)
    assert due(report).state == ReportState.IMPORTED
    with pytest.raises(WrongState):
        fetch_again(report_id=report.pk, actor=cast.finance)


def test_only_who_reconciles_the_brand_has_it_fetched_again(cast, platform):
    AnnouncedReport.objects.all().delete()
    report = announce(platform)
    AnnouncedReport.objects.update(state=ReportState.FAILED, due_at=None)
    for person in (cast.agent, cast.auditor, cast.administrator):
        with pytest.raises(NotAllowed):
            fetch_again(report_id=report.pk, actor=person)
    report.refresh_from_db()
    assert report.state == ReportState.FAILED


def test_a_file_that_does_not_hold_is_for_people_at_once(cast, platform):
    sent(cast, platform)
    report = announce(platform)
    platform.running.store.run("UPDATE transfers SET currency = 'eur'")
    due(report)
    assert report.state == ReportState.FAILED and "“eur” isn't a currency code" in report.outcome
    assert not SettlementImport.objects.exists()


# From whom


@pytest.mark.parametrize("what", ["accounting", "report"])
def test_an_address_of_a_foreign_host_is_refused_and_named_and_nothing_goes_there(cast, platform, what):
    calls = PspCall.objects.count()
    report = due(announce(platform, what, host="https://reports.evil.example:8443"))
    assert report.state == ReportState.REFUSED and "“https://reports.evil.example:8443”" in report.outcome
    assert platform.psp.base_url.removesuffix("/adyen") in report.outcome, "and which ones are its own"
    assert PspCall.objects.count() == calls and not SettlementImport.objects.exists()
    assert Notification.objects.get(user=cast.finance, kind="wallet.report_not_fetched").body == report.outcome


@pytest.mark.parametrize(
    ("address", "is_own"),
    [
        ("https://balanceplatform-live.adyen.com/balanceplatform/reportDownload/v1/P/a.csv", True),
        ("https://ca-live.adyen.com/reports/download/MerchantAccount/M/a.csv", True),
        ("http://ca-live.adyen.com/a.csv", False),
        ("https://ca-test.adyen.com/a.csv", False),
        ("https://ca-live.adyen.com:444/a.csv", False),
        ("https://ca-live.adyen.com@evil.example/a.csv", False),
        ("https://ca-live.adyen.com.evil.example/a.csv", False),
        ("https://ca-live.adyen.com\\@evil.example/a.csv", False),
        ("https://ca-live.adyen.com/\\evil\t", False),
        ("https://CA-LIVE.ADYEN.COM/a.csv", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("file:///etc/passwd", False),
        ("//ca-live.adyen.com/a.csv", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_only_https_at_adyen_s_own_hosts_of_this_environment(platform, address, is_own):
    http = PspHttp(platform.psp, "", explain=str, hosts=hosts(is_live=True))
    if is_own:
        http.require_own(address)
        return
    with pytest.raises(ForeignAddress):
        http.require_own(address)


def test_a_file_that_is_too_large_is_given_up_while_it_comes_and_a_redirect_is_not_followed(cast, platform):
    sent(cast, platform)
    http = PspHttp(platform.psp, platform.psp.base_url, explain=str)
    address = announce(platform).address
    with pytest.raises(PspRefused, match="larger"):
        list(http.download(address, headers={"X-API-Key": KEY}, bytes_max=100))
    assert b"BalancePlatform" in b"".join(http.download(address, headers={"X-API-Key": KEY}, bytes_max=2**20))


def test_a_signed_notification_whose_unsigned_address_was_changed_is_refused(cast, platform):
    item = {
        "amount": {"currency": "EUR", "value": 0},
        "eventCode": "REPORT_AVAILABLE",
        "merchantReference": "",
        "merchantAccountCode": "SandboxMerchantECOM",
        "pspReference": "settlement_detail_report_batch_12.csv",
        "reason": "https://ca-test.adyen.com.evil.example/x.csv",
        "success": "true",
    }
    item["additionalData"] = {"hmacSignature": signature(item, hmac_key("sandbox-webhook-secret-adyen"))}
    assert platform.post({}, Adyen().wrapped([item])) == 200
    platform.process()
    report = due(AnnouncedReport.objects.get())
    assert report.state == ReportState.REFUSED and "evil.example" in report.outcome


# It does not come


def test_a_report_that_should_have_come_is_missed_told_once_and_came_later(cast, platform, browse):
    sent(cast, platform)
    PspMovement.objects.update(occurred_at=timezone.now() - dt.timedelta(days=1))
    assert note_missing_reports() == 0, "it may still come"
    day = timezone.now().date() - dt.timedelta(days=3)
    PspMovement.objects.update(occurred_at=dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC))
    assert (note_missing_reports(), note_missing_reports()) == (1, 0)
    missing = AnnouncedReport.objects.get()
    assert (missing.state, missing.kind, missing.day) == (ReportState.MISSING, "accounting", day)
    assert Notification.objects.filter(user=cast.finance, kind="wallet.report_missing").count() == 1
    page = browse(cast.finance).get(reverse("wallet:psp_health", args=[platform.psp.pk])).content.decode()
    assert "Not received" in page and "Accounting report of the balance platform" in page
    report = due(announce(platform))
    assert report.state == ReportState.IMPORTED and Match.objects.count() == 1
    note_missing_reports()
    missing.refresh_from_db()
    assert missing.state == ReportState.CAME


def test_of_a_psp_through_which_nothing_moved_nothing_is_missed(cast, platform):
    assert note_missing_reports() == 0 and not AnnouncedReport.objects.exists()


def test_rows_of_announced_reports_say_what_they_are(platform):
    row = AnnouncedReport(psp=platform.psp, kind="accounting", name="a", announced_at=timezone.now())
    for name, changes in (
        ("a_report_that_waits_is_due", {}),
        ("an_imported_report_is_there", {"state": ReportState.IMPORTED}),
        ("a_missing_report_is_of_a_day", {"state": ReportState.MISSING}),
    ):
        for field, value in changes.items():
            setattr(row, field, value)
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            row.save(force_insert=True)
