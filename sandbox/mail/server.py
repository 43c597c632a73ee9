"""The mail server: an inbox that IMAP4rev1 reads (RFC 3501) and SMTP fills (RFC 5321). What it holds is gone when it stops.

Enough of both protocols for a client that signs in, selects, searches and fetches by UID. Faults are switched on the inbox:
`outage` (hangs up), `refuse` (the sign-in), `silent` (never answers), `lie` (an answer of more bytes than were asked for).
"""

import re
import socketserver
import threading
from dataclasses import dataclass, field

USER, PASSWORD = "support@sandbox.example", "keelson-sandbox-mail"
MAIL_BYTES_MAX = 80 * 2**20
LITERAL = re.compile(rb"\{(\d+)\}\r\n$")
FETCH = re.compile(r"UID FETCH (\d+) \((.*)\)", re.IGNORECASE)
SEARCH = re.compile(r"UID SEARCH UID (\d+):\*", re.IGNORECASE)
PART = re.compile(r"BODY(?:\.PEEK)?\[\](?:<(\d+)\.(\d+)>)?", re.IGNORECASE)


@dataclass
class Inbox:
    """The e-mails by UID, and what goes wrong."""

    mails: dict[int, bytes] = field(default_factory=dict)
    validity: int = 1
    next_uid: int = 1
    faults: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, raw: bytes) -> int:
        """Add an e-mail; returns its UID."""
        with self.lock:
            uid, self.next_uid = self.next_uid, self.next_uid + 1
            self.mails[uid] = raw
            return uid

    def renumber(self) -> None:
        """Give every e-mail another UID under another UIDVALIDITY, as a server does that was restored."""
        with self.lock:
            raws = list(self.mails.values())
            self.mails, self.validity, self.next_uid = {}, self.validity + 1, 1
        for raw in raws:
            self.put(raw)


class ImapServer(socketserver.ThreadingTCPServer):
    """An inbox over IMAP."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], inbox: Inbox) -> None:
        self.inbox = inbox
        super().__init__(address, ImapHandler)


class ImapHandler(socketserver.StreamRequestHandler):
    server: ImapServer

    def handle(self) -> None:
        self.is_signed_in = False
        if "outage" in self.server.inbox.faults:
            return
        self._say("* OK [CAPABILITY IMAP4rev1] sandbox ready")
        while line := self._line():
            tag, _space, rest = line.partition(" ")
            if "silent" in self.server.inbox.faults:
                continue
            if rest.upper() == "LOGOUT":
                self._say("* BYE", f"{tag} OK LOGOUT completed")
                return
            self._answer(tag, rest)

    def _line(self) -> str:
        """Read a command; a literal within it is read along."""
        line = self.rfile.readline(64 * 1024)
        while match := LITERAL.search(line):
            self._say("+ go on")
            line = line[: match.start()] + b'"' + self.rfile.read(int(match[1])) + b'"' + self.rfile.readline(64 * 1024)
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def _answer(self, tag: str, command: str) -> None:
        inbox, name = self.server.inbox, command.split(" ")[0].upper()
        if name == "CAPABILITY":
            self._say("* CAPABILITY IMAP4rev1", f"{tag} OK CAPABILITY completed")
        elif name == "LOGIN":
            given = [word.strip('"') for word in command.split(" ")[1:]]
            self.is_signed_in = given == [USER, PASSWORD] and "refuse" not in inbox.faults
            self._say(f"{tag} OK LOGIN completed" if self.is_signed_in else f"{tag} NO wrong username or password")
        elif not self.is_signed_in:
            self._say(f"{tag} NO sign in first")
        elif name in ("SELECT", "EXAMINE"):
            lines = (f"* {len(inbox.mails)} EXISTS", f"* OK [UIDVALIDITY {inbox.validity}]")
            self._say(*lines, f"{tag} OK [READ-ONLY] {name} completed")
        elif match := SEARCH.fullmatch(command):
            found = [uid for uid in inbox.mails if uid >= int(match[1])]
            newest = [max(inbox.mails)] if inbox.mails and not found else []
            self._say("* SEARCH " + " ".join(map(str, found or newest)), f"{tag} OK SEARCH completed")
        elif match := FETCH.fullmatch(command):
            self._fetch(tag, int(match[1]), match[2])
        else:
            self._say(f"{tag} BAD unknown command")

    def _fetch(self, tag: str, uid: int, items: str) -> None:
        raw = self.server.inbox.mails.get(uid)
        if raw is not None and "RFC822.SIZE" in items.upper():
            self._say(f"* 1 FETCH (UID {uid} RFC822.SIZE {len(raw)})")
        elif raw is not None and (part := PART.search(items)):
            start, count = (int(part[1]), int(part[2])) if part[1] else (0, len(raw))
            piece = raw[start : start + count]
            size = 2**31 if "lie" in self.server.inbox.faults else len(piece)
            self.wfile.write(f"* 1 FETCH (UID {uid} BODY[]<{start}> {{{size}}}\r\n".encode() + piece + b")\r\n")
        self._say(f"{tag} OK FETCH completed")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class SmtpServer(socketserver.ThreadingTCPServer):
    """The way into the inbox."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], inbox: Inbox) -> None:
        self.inbox = inbox
        super().__init__(address, SmtpHandler)


class SmtpHandler(socketserver.StreamRequestHandler):
    server: SmtpServer

    def handle(self) -> None:
        self._say("220 sandbox")
        while line := self.rfile.readline(4096):
            verb = line[:4].upper().strip()
            if verb == b"DATA":
                self._say("354 go on")
                self._data()
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            elif verb in (b"HELO", b"EHLO", b"MAIL", b"RCPT", b"RSET", b"NOOP"):
                self._say("250 ok")
            else:
                self._say("502 unknown command")

    def _data(self) -> None:
        lines, size = [], 0
        while (line := self.rfile.readline(1_000_000)) not in (b".\r\n", b""):
            size += len(line)
            if size <= MAIL_BYTES_MAX:
                lines.append(line[1:] if line.startswith(b"..") else line)
        if size > MAIL_BYTES_MAX:
            self._say("552 larger than we take")
            return
        self.server.inbox.put(b"".join(lines))
        self._say("250 kept")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
