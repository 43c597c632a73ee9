"""The adapter for yente, the API of OpenSanctions, hosted or on one's own server.

`POST /match/<dataset>` takes up to 100 queries by a key of ours, each with a schema and properties of FollowTheMoney, and answers
with scored entities under the same keys. `GET /entities/<id>` shows one as it is now: 404 when it isn't listed any more, 308 when
it was merged into another. Asking for it without its neighbours gives the same properties as a result has. The hosted API wants
`Authorization: ApiKey …`; one's own server none. Newer versions explain each feature (`explanations`), older ones only score it
(`features`). The API has no webhooks of its own: a vendor on top of it signs as in `signing`.
Sources: https://www.opensanctions.org/docs/api/matching/, https://www.opensanctions.org/docs/api/scoring/,
https://www.opensanctions.org/docs/api/authentication/, https://www.opensanctions.org/docs/entities/
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import httpx
import orjson
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.models import ScreeningVendor
from compliance.vendors.protocol import Answer, Entity, Feature, Moved, Result, Sent, Subject
from compliance.vendors.signing import judge_signature
from crm.connections.choices import WebhookVerdict
from crm.connections.http import UNREADABLE, Line, address_of, read_json, unreadable
from crm.connections.protocol import Judgement, Key, Notice, ServiceUnknown
from crm.outside.outbound import Bounds

T = TypeVar("T")
ANSWER: Final = Bounds(bytes_max=8 * 2**20, seconds=20, timeout=httpx.Timeout(15, connect=3))
# Our account may be in order in a while, and the question is a good one.
ACCOUNT: Final = {httpx.codes.UNAUTHORIZED, httpx.codes.PAYMENT_REQUIRED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}
API: Final = "https://api.opensanctions.org"
# More results of one name than this say that the name says little; the best come first.
RESULTS_MAX: Final = 25
ID_CHARS_MAX, CAPTION_CHARS_MAX, VALUES_MAX, VALUE_CHARS_MAX = 120, 300, 500, 2_000
FEATURES_MAX, DETAIL_CHARS_MAX = 60, 300
NO_SUCH_ADDRESS: Final = "Not Found"
GONE: Final = frozenset({httpx.codes.NOT_FOUND, httpx.codes.PERMANENT_REDIRECT, httpx.codes.MOVED_PERMANENTLY})


class YenteAdapter:
    """OpenSanctions' API, a yente of one's own, or the sandbox that speaks its protocol."""

    title = "OpenSanctions (yente)"
    keys: Sequence[Key] = (
        Key("api_key", gettext_lazy("API key"), gettext_lazy("For a server of your own, any text")),
        Key(
            "webhook_secret",
            gettext_lazy("Webhook secret"),
            gettext_lazy("Begins with whsec_. Where the vendor sends no webhooks, any text"),
        ),
    )
    batch_max = 50

    def __init__(self, vendor: ScreeningVendor) -> None:
        self.vendor = vendor
        self.credentials: Mapping[str, Any] = vendor.credentials
        self.line = Line(vendor, ANSWER, explain=lambda answer: answer["detail"], account=ACCOUNT)
        self.address = address_of(vendor, API, settings.SANDBOX_SCREENING_URL)

    def sent(self, subjects: Sequence[Subject]) -> Sent:
        body = self._body(subjects)
        fields = {name for query in body["queries"].values() for name in query["properties"]}
        return Sent(hashlib.sha256(orjson.dumps(body)).hexdigest(), ("schema", *sorted(fields)))

    def match(self, subjects: Sequence[Subject]) -> Mapping[str, Answer]:
        query = urlencode({"threshold": str(self.vendor.threshold), "limit": RESULTS_MAX})
        path = f"/match/{quote(self.vendor.dataset, safe='')}?{query}"
        answer = read_json(self.vendor, self._send("POST", path, content=orjson.dumps(self._body(subjects))))
        found = self._read(lambda: dict(answer["responses"]))
        threshold = float(self.vendor.threshold)
        asked = [subject.reference for subject in subjects if subject.reference in found]
        return {key: self._read(lambda key=key: read_answer(found[key], threshold)) for key in asked}  # type: ignore[misc]

    @staticmethod
    def _body(subjects: Sequence[Subject]) -> dict[str, Any]:
        return {"queries": {subject.reference: query_of(subject) for subject in subjects}}

    def entity(self, entity_id: str) -> Entity | Moved | None:
        response = self._send("GET", f"/entities/{quote(entity_id, safe='')}?nested=false", accepts=GONE)
        if response.status_code == httpx.codes.NOT_FOUND:
            # Whatever stands before the API, or another address of it, says 404 too: only the API's own word counts.
            said = self._read(lambda: str(read_json(self.vendor, response)["detail"]))
            if said == NO_SUCH_ADDRESS:
                raise unreadable(self.vendor)
            return None
        if response.status_code in GONE:
            moved = response.headers.get("location", "").split("?")[0].rstrip("/").rsplit("/", 1)[-1]
            if not moved or moved == entity_id:
                raise unreadable(self.vendor)
            return Moved(moved[:ID_CHARS_MAX])
        return self._read(lambda: read_entity(read_json(self.vendor, response)))

    def judge(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        secrets = [self.credentials.get(name, "") for name in ("webhook_secret", "previous_webhook_secret")]
        judgement = judge_signature(body, headers, secrets=secrets, now=now)
        if judgement.verdict != WebhookVerdict.ACCEPTED:
            return judgement
        try:
            return replace(judgement, notice=read_notice(orjson.loads(body)))
        except UNREADABLE:
            return replace(judgement, verdict=WebhookVerdict.MALFORMED)

    def check_connection(self) -> str:
        """Ask with our key which datasets there are; the one that is set up must be among them."""
        catalog = read_json(self.vendor, self._send("GET", "/catalog"))
        names = self._read(lambda: {str(dataset["name"]) for dataset in catalog["datasets"]})
        if self.vendor.dataset not in names:
            return _("The vendor has no dataset “%(name)s”.") % {"name": self.vendor.dataset}
        return ""

    def _send(self, method: str, path: str, *, content: bytes = b"", accepts: frozenset[int] = frozenset()) -> Any:
        headers = {"Authorization": f"ApiKey {self.credentials.get('api_key', '')}", "Accept": "application/json"}
        if content:
            headers["Content-Type"] = "application/json"
        return self.line.send(method, self.address + path, content=content, headers=headers, accepts=accepts)

    def _read(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except ServiceUnknown:
            raise
        except UNREADABLE as error:
            raise unreadable(self.vendor) from error


def query_of(subject: Subject) -> dict[str, Any]:
    """Write a subject as a query: nothing but its schema, names, day of birth and countries."""
    properties: dict[str, list[str]] = {"name": list(subject.names)}
    if subject.birth_date:
        properties["birthDate"] = [subject.birth_date.isoformat()]
    if subject.countries:
        properties["country"] = [country.lower() for country in subject.countries]
    return {"schema": subject.schema, "properties": properties}


def read_answer(answer: Any, threshold: float) -> Answer:
    """Read what is said of one query: the results that the vendor calls matches, or that reach the threshold."""
    if int(answer.get("status", 200)) >= 400:
        return Answer(refused=str(answer.get("detail") or answer["status"])[:300])
    results = [
        read_result(row) for row in answer["results"][:RESULTS_MAX] if row.get("match") or row["score"] >= threshold
    ]
    return Answer(tuple(results))


def read_result(row: Any) -> Result:
    """Read one scored entity. Raises what `UNREADABLE` lists."""
    score = float(row["score"])
    if not 0 <= score <= 1:
        raise ValueError(f"a score of {score}")
    given = row.get("explanations") or row.get("features") or {}
    features = tuple(_feature(name, value) for name, value in list(given.items())[:FEATURES_MAX])
    return Result(read_entity(row), round(score, 4), features)


def _feature(name: str, value: Any) -> Feature:
    if isinstance(value, dict):
        texts = [str(value.get(key) or "")[:DETAIL_CHARS_MAX] for key in ("detail", "query", "candidate")]
        return Feature(str(name)[:60], float(value.get("score") or 0), *texts)
    return Feature(str(name)[:60], float(value))


def read_entity(row: Any) -> Entity:
    """Read an entity without its neighbours. Raises what `UNREADABLE` lists."""
    entity_id, schema = row["id"], row["schema"]
    if not isinstance(entity_id, str) or not isinstance(schema, str) or not 0 < len(entity_id) <= ID_CHARS_MAX:
        raise ValueError("an entity without an id or schema")
    properties = {
        str(name): [value[:VALUE_CHARS_MAX].replace("\0", "") for value in values if isinstance(value, str)][
            :VALUES_MAX
        ]
        for name, values in row["properties"].items()
    }
    caption = str(row.get("caption") or "")[:CAPTION_CHARS_MAX].replace("\0", "")
    datasets = tuple(str(name)[:120] for name in row.get("datasets") or ())
    return Entity(entity_id, schema, caption, properties, datasets)


def read_notice(body: Any) -> Notice:
    """Read what a webhook points at: `{"type": …, "data": {"entity_id": …, "reference": …}}`."""
    data = body["data"]
    notice = Notice(
        str(body["type"])[:60], str(data.get("entity_id") or "")[:ID_CHARS_MAX], str(data.get("reference") or "")[:32]
    )
    if not notice.subject_id and not notice.reference:
        raise ValueError("a message without an entity")
    return notice
