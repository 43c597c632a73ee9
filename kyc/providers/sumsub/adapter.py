"""The adapter for Sumsub.

Applicants: `POST /resources/applicants?levelName=…` with our `externalUserId`; one that exists is 409. `fixedInfo` is what the
documents are compared with. The client goes on under a WebSDK link (`POST /resources/sdkIntegrations/levels/-/websdkLink`), which
expires. Rate limits: 300 GET and 50 POST in five seconds, then 429. There is no call that deletes an applicant for good: a profile
is deactivated, and Sumsub deletes it by the retention set in its dashboard.
Sources: https://docs.sumsub.com/reference/generate-websdk-external-link, https://docs.sumsub.com/reference/rate-limits,
https://docs.sumsub.com/reference/deactivate-applicant-profile, https://docs.sumsub.com/reference/get-applicant-data-via-externaluserid
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
import orjson
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.connections.choices import WebhookVerdict
from crm.connections.http import UNREADABLE, Line, address_of, read_json, unreadable
from crm.connections.protocol import Judgement, Key, ServiceRefused
from crm.outside.outbound import Bounds
from kyc.models import KycProvider
from kyc.providers.protocol import Answer, Applicant, CheckView, Link, Picture
from kyc.providers.sumsub.reading import read_check, read_notice
from kyc.providers.sumsub.signing import judge_digest, request_headers

T = TypeVar("T")
# Shorter than the minute after which a check without an answer is looked up: by then nothing is under way.
ANSWER: Final = Bounds(bytes_max=2 * 2**20, seconds=20, timeout=httpx.Timeout(10, connect=3))
API: Final = "https://api.sumsub.com"
DONE: Final = frozenset({Answer.PASSED, Answer.RETRY, Answer.REFUSED})
NOBODY: Final = "keelson-connection-test"


class SumsubAdapter:
    """Sumsub, or the sandbox that speaks its protocol."""

    title = "Sumsub"
    keys: Sequence[Key] = (
        Key("app_token", gettext_lazy("App token"), help_text=gettext_lazy("Dashboard → Dev space → App tokens")),
        Key("secret_key", gettext_lazy("Secret key of the app token")),
        Key(
            "webhook_secret",
            gettext_lazy("Secret key of the webhook"),
            help_text=gettext_lazy("Dashboard → Dev space → Webhooks"),
        ),
    )
    algorithms: Sequence[tuple[str, str]] = (
        ("HMAC_SHA256_HEX", "SHA-256"),
        ("HMAC_SHA512_HEX", "SHA-512"),
        ("HMAC_SHA1_HEX", "SHA-1"),
    )

    def __init__(self, provider: KycProvider) -> None:
        self.provider = provider
        self.credentials: Mapping[str, Any] = provider.credentials
        self.line = Line(provider, ANSWER, explain=lambda answer: answer["description"])
        self.address = address_of(provider, API, settings.SANDBOX_KYC_URL)

    def create(self, applicant: Applicant) -> str:
        body = {
            "externalUserId": applicant.external_id,
            "email": applicant.email,
            "phone": applicant.phone,
            "lang": applicant.language[:2],
            "fixedInfo": {
                "firstName": applicant.first_name,
                "lastName": applicant.last_name,
                **({"dob": applicant.birth_date.isoformat()} if applicant.birth_date else {}),
            },
        }
        try:
            made = self._call("POST", f"/resources/applicants?levelName={quote(applicant.level_name)}", body)
        except ServiceRefused as refused:
            found = None
            if refused.status == httpx.codes.CONFLICT:
                found = self.look_up(external_id=applicant.external_id)
            if found is None:
                raise
            return found.applicant_id
        return self._read(lambda: read_check(made, None, None).applicant_id)

    def link(self, applicant: Applicant, *, return_url: str, ttl_seconds: int) -> Link:
        body = {
            "levelName": applicant.level_name,
            "userId": applicant.external_id,
            "ttlInSecs": ttl_seconds,
            "redirect": {"successUrl": return_url, "rejectUrl": return_url},
        }
        path = f"/resources/sdkIntegrations/levels/-/websdkLink?lang={quote(applicant.language[:2])}"
        expires_at = timezone.now() + dt.timedelta(seconds=ttl_seconds)
        answer = self._call("POST", path, body)
        url = self._read(lambda: str(answer["url"]))
        if not url.startswith(("https://", f"{self.address}/")) or len(url) > 2000 or not url.isprintable():
            raise unreadable(self.provider)
        return Link(url, expires_at)

    def look_up(self, *, external_id: str, applicant_id: str = "") -> CheckView | None:
        which = quote(applicant_id, safe="") if applicant_id else f"-;externalUserId={quote(external_id, safe='')}"
        try:
            applicant = self._call("GET", f"/resources/applicants/{which}/one")
        except ServiceRefused as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                return None
            raise
        view = self._read(lambda: read_check(applicant, None, None))
        if view.answer not in DONE:
            return view
        steps = self._call("GET", f"/resources/applicants/{view.applicant_id}/requiredIdDocsStatus")
        pictures = self._call("GET", f"/resources/applicants/{view.applicant_id}/metadata/resources")
        return self._read(lambda: read_check(applicant, steps, pictures))

    def fetch(self, picture: Picture) -> bytes:
        path = f"/resources/inspections/{picture.inspection_id}/resources/{picture.image_id}"
        bounds = replace(ANSWER, bytes_max=settings.UPLOAD_MAX_BYTES)
        return self._send("GET", path, bounds=bounds).content

    def cancel(self, applicant_id: str) -> None:
        self._deactivate(applicant_id)

    def delete(self, applicant_id: str) -> None:
        self._deactivate(applicant_id)

    def _deactivate(self, applicant_id: str) -> None:
        try:
            self._call("PATCH", f"/resources/applicants/{quote(applicant_id, safe='')}/presence/deactivated")
        except ServiceRefused as refused:
            if refused.status != httpx.codes.NOT_FOUND:
                raise

    def judge(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        secrets = [self.credentials.get(name, "") for name in ("webhook_secret", "previous_webhook_secret")]
        verdict, algorithm = judge_digest(body, headers, secrets=secrets, allowed=self.provider.webhook_algorithms)
        if verdict != WebhookVerdict.ACCEPTED:
            return Judgement(verdict, algorithm=algorithm)
        try:
            return Judgement(verdict, algorithm=algorithm, notice=read_notice(orjson.loads(body)))
        except UNREADABLE:
            return Judgement(WebhookVerdict.MALFORMED, algorithm=algorithm)

    def check_connection(self) -> str:
        answer = self._call("GET", f"/resources/applicants/-/byExternalUserId/{NOBODY}")
        return "" if self._read(lambda: answer["exists"]) is not None else _("An unexpected answer.")

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return read_json(self.provider, self._send(method, path, body))

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, bounds: Bounds | None = None
    ) -> httpx.Response:
        content = orjson.dumps(body) if body is not None else b""
        headers = request_headers(
            token=self.credentials.get("app_token", ""),
            secret=self.credentials.get("secret_key", ""),
            method=method,
            path=path,
            body=content,
            now_seconds=int(time.time()),
        )
        if content:
            headers["Content-Type"] = "application/json"
        return self.line.send(method, self.address + path, content=content, headers=headers, bounds=bounds)

    def _read(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except UNREADABLE as error:
            raise unreadable(self.provider) from error
