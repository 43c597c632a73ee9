"""Signing in and reading mail, as a person of the demo would."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import re
import struct
import time
from pathlib import Path

from playwright.sync_api import Page

# Those of `crm.demo`, which needs a configured Django; the journey is outside, like its people.
PASSWORD = "keelson-demo-2026"
TOTP_SECRET = "KEELSONDEMO22222"

# How many seconds a step waits for what workers do: on a machine that others keep busy that says nothing of Keelson.
PATIENCE = 300


def one_time_code(secret: str = TOTP_SECRET) -> str:
    """RFC 6238, six digits, thirty seconds."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def sign_in_staff(page: Page, username: str) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", username)
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_selector("input[name=code]")
    for _attempt in range(3):  # a code that has just run out, or was used in this half minute, is refused
        page.fill("input[name=code]", one_time_code())
        page.locator("form:has(input[name=code]) button").first.click()
        page.wait_for_load_state()
        if "/home/" in page.url:
            return
        page.wait_for_timeout(1000 * (31 - int(time.time()) % 30))
    page.wait_for_url(re.compile("/home/"), timeout=1000)


def newest_mail(folder: Path, to: str, *, containing: str = "") -> str:
    """The newest message to an address, as text; waits for the worker that sends it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        files = (
            sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True) if folder.exists() else []
        )
        for path in files:
            for raw in reversed(path.read_bytes().split(b"\n" + b"-" * 79 + b"\n")):
                message = email.message_from_bytes(raw.strip(), policy=email.policy.default)
                if to not in str(message["To"]):
                    continue
                body = message.get_body(("plain", "html"))
                text = body.get_content() if body else ""
                if containing in text or containing in str(message["Subject"]):
                    return text
        time.sleep(0.3)
    raise AssertionError(f"no mail to {to} with {containing!r} within {PATIENCE} s")


def link_in(text: str, pattern: str) -> str:
    match = re.search(rf"https?://\S*{pattern}\S*", text)
    if match is None:
        raise AssertionError(f"no link like {pattern} in the mail:\n{text[:800]}")
    return match[0].rstrip(".>)")
