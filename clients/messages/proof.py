"""Whether the sender of an e-mail is who they say: by what our own mail server wrote down when it took the e-mail (RFC 8601).

Anybody can write an Authentication-Results header. So only one counts that names the server which the mailbox was set up with,
and of those the first: the server that took the e-mail last wrote it above all others, and removes what pretends to be its own
(RFC 8601, section 5). A pass counts only for the domain in From, or one of the same organisation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from clients.messages.choices import SenderProof

COMMENT: Final = re.compile(r"\([^()]*\)")
DOMAIN: Final = re.compile(r"(?:header\.from|header\.d|header\.i|smtp\.mailfrom|smtp\.helo)\s*=\s*\"?([^\s;\"]+)")
METHOD: Final = re.compile(r"^\s*(dmarc|dkim|spf)\s*=\s*([a-z]+)", re.IGNORECASE)


def proof_of(from_address: str, results: Sequence[str], *, server: str) -> SenderProof:
    """Judge a sender. server: whose results count; without one nothing is proved."""
    host = from_address.rpartition("@")[2].lower()
    if not host or not server:
        return SenderProof.NOT_PROVED
    for result in results:
        head, _semicolon, rest = COMMENT.sub("", result).partition(";")
        if head.split()[:1] and head.split()[0].lower() == server.lower():
            return _judge(host, rest)
    return SenderProof.NOT_PROVED


def _judge(host: str, results: str) -> SenderProof:
    verdicts: dict[str, set[str]] = {}
    for part in results.split(";"):
        method = METHOD.match(part)
        if method is None:
            continue
        name, verdict = method[1].lower(), method[2].lower()
        domains = [value.rpartition("@")[2].lower() for value in DOMAIN.findall(part)]
        if verdict == "pass" and not any(_is_aligned(host, domain) for domain in domains):
            continue
        verdicts.setdefault(name, set()).add(verdict)
    if "fail" in verdicts.get("dmarc", set()):
        return SenderProof.FAILED
    if any("pass" in found for found in verdicts.values()):
        return SenderProof.PROVED
    return SenderProof.NOT_PROVED


def _is_aligned(host: str, domain: str) -> bool:
    """Check that both domains are of one organisation: one is the other, or below it. A top-level domain alone isn't one."""
    if "." not in host or "." not in domain:
        return False
    return host == domain or host.endswith(f".{domain}") or domain.endswith(f".{host}")
