"""Whether the sender of an e-mail is who they say: by what our own mail server wrote down when it took the e-mail (RFC 8601).

Anybody can write an Authentication-Results header. So only one counts that names the server which the mailbox was set up with,
and of those the first: the server that took the e-mail last wrote it above all others, and removes what pretends to be its own
(RFC 8601, section 5). A pass counts only for the domain in From, or one of the same organisation, and only by what the method
itself has checked: DKIM the domain that signed, SPF the one that sent, DMARC the one in From. A sender chooses what stands in
quotation marks ("x; dkim=pass header.d=bank.example"@evil.example), and some servers repeat it in a comment: neither is read, and
a header in which one stands within the other proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from clients.messages.choices import SenderProof

# A quotation or a comment, none within another.
FREE_TEXT: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|\((?:[^()\"\\]|\\.)*\)")
MARKS: Final = re.compile(r"[\"\\()]")
METHOD: Final = re.compile(r"^\s*(dmarc|dkim|spf)\s*=\s*([a-z]+)", re.IGNORECASE)
CHECKED: Final = {
    "dmarc": re.compile(r"\bheader\.from\s*=\s*([^\s;]+)", re.IGNORECASE),
    "dkim": re.compile(r"\bheader\.[di]\s*=\s*([^\s;]+)", re.IGNORECASE),
    "spf": re.compile(r"\bsmtp\.(?:mailfrom|helo)\s*=\s*([^\s;]+)", re.IGNORECASE),
}


def proof_of(from_address: str, results: Sequence[str], *, server: str) -> SenderProof:
    """Judge a sender. server: whose results count; without one nothing is proved."""
    host = from_address.rpartition("@")[2].lower()
    if not host or not server:
        return SenderProof.NOT_PROVED
    for result in results:
        plain = FREE_TEXT.sub("", result)
        head, _semicolon, rest = plain.partition(";")
        if head.split()[:1] and head.split()[0].lower() == server.lower():
            return SenderProof.NOT_PROVED if MARKS.search(plain) else _judge(host, rest)
    return SenderProof.NOT_PROVED


def _judge(host: str, results: str) -> SenderProof:
    verdicts: dict[str, set[str]] = {}
    for part in results.split(";"):
        method = METHOD.match(part)
        if method is None:
            continue
        name, verdict = method[1].lower(), method[2].lower()
        domains = [value.rpartition("@")[2].lower() for value in CHECKED[name].findall(part)]
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
