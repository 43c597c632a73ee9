"""The provider's side of a check: pictures come, the review waits its time, a result is written and webhooks go out."""

import hashlib
import hmac
import json
import logging
import threading
import time
import urllib.request
from typing import Any

from sandbox.kyc.store import Store, new_id

log = logging.getLogger("sandbox.kyc")

ALGORITHMS = {"HMAC_SHA1_HEX": hashlib.sha1, "HMAC_SHA256_HEX": hashlib.sha256, "HMAC_SHA512_HEX": hashlib.sha512}
RETRY_SECONDS = (1, 3, 10)
STEP_OF = {"SELFIE": "SELFIE", "UTILITY_BILL": "PROOF_OF_RESIDENCE"}


def moment() -> str:
    """Write the time as the provider does."""
    return time.strftime("%Y-%m-%d %H:%M:%S+0000", time.gmtime())


class Reviewer(threading.Thread):
    """Finishes reviews when their time has come, and sends webhooks."""

    def __init__(self, store: Store, *, webhook_url: str, webhook_secret: str) -> None:
        super().__init__(name="reviewer", daemon=True)
        self.store, self.webhook_url, self.webhook_secret = store, webhook_url, webhook_secret
        self.algorithm = "HMAC_SHA256_HEX"
        self._stopping = threading.Event()
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.held: list[bytes] = []

    def stop(self) -> None:
        self._stopping.set()
        self.join(timeout=5)

    def run(self) -> None:
        while not self._stopping.wait(0.05):
            for applicant_id, result in self.store.run(
                "SELECT applicant_id, result FROM reviews WHERE due_at <= ? ORDER BY due_at", time.time()
            ):
                self.store.run("DELETE FROM reviews WHERE applicant_id = ?", applicant_id)
                self.finish(applicant_id, json.loads(result))

    def submit(self, applicant: dict[str, Any], result: dict[str, Any], *, seconds: float) -> None:
        """Take an applicant into review; the result is known from the start, as in every theatre."""
        applicant["review"].update(reviewStatus="pending", reviewResult={})
        self.store.save(applicant)
        self.announce(applicant, "applicantPending")
        self.store.run(
            "INSERT OR REPLACE INTO reviews VALUES (?, ?, ?)",
            applicant["id"],
            time.time() + seconds,
            json.dumps(result),
        )

    def finish(self, applicant_id: str, result: dict[str, Any]) -> None:
        """Write a review's result: GREEN, RED with labels and type, or on hold."""
        applicant = self.store.applicant(applicant_id)
        if applicant is None:
            return
        review = applicant["review"]
        if result.get("hold"):
            review["reviewStatus"] = "onHold"
            self.store.save(applicant)
            self.announce(applicant, "applicantOnHold")
            return
        review.update(reviewStatus="completed", reviewResult=result, reviewDate=moment())
        review["attemptCnt"] = review.get("attemptCnt", -1) + 1
        self.store.save(applicant)
        self.announce(applicant, "applicantReviewed")

    # ── webhooks ──
    def announce(self, applicant: dict[str, Any], event: str) -> None:
        """Send a webhook about an applicant, with the faults that are switched on."""
        body = json.dumps(
            {
                "type": event,
                "applicantId": applicant["id"],
                "inspectionId": applicant["inspectionId"],
                "externalUserId": applicant["externalUserId"],
                "correlationId": new_id(),
                "levelName": applicant["review"]["levelName"],
                "reviewStatus": applicant["review"]["reviewStatus"],
                "reviewResult": applicant["review"].get("reviewResult") or {},
                "createdAtMs": time.strftime("%Y-%m-%d %H:%M:%S.000", time.gmtime()),
            }
        ).encode()
        if not self.webhook_url or self.store.spend("webhook_drop"):
            return
        self.held.append(body)
        if self.store.spend("webhook_hold"):
            return  # goes out with the next one, after it: out of order
        bodies, self.held = self.held[::-1], []
        for one in bodies:
            for _ in range(1 + int(self.store.spend("webhook_duplicate") or 0)):
                threading.Thread(target=self._send, args=(one,), daemon=True).start()

    def signed(self, body: bytes) -> dict[str, str]:
        """Sign a webhook as documented; the faults forge it or choose another algorithm."""
        secret = "forged" if self.store.spend("webhook_forge") else self.webhook_secret
        algorithm = self.store.spend("webhook_algorithm") or self.algorithm
        digest = hmac.new(secret.encode(), body, ALGORITHMS[algorithm]).hexdigest()
        return {"X-Payload-Digest": digest, "X-Payload-Digest-Alg": algorithm, "Content-Type": "application/json"}

    def _send(self, body: bytes) -> None:
        headers = self.signed(body)
        for wait in (*RETRY_SECONDS, 0):
            request = urllib.request.Request(self.webhook_url, data=body, headers=headers, method="POST")  # noqa: S310
            try:
                with self._opener.open(request, timeout=5) as answer:
                    answer.read(1024)
                return
            except OSError as error:
                log.debug("webhook not taken: %s", error)
                if self._stopping.wait(wait):
                    return
