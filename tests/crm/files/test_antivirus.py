"""`crm.files.antivirus` against a socket that speaks clamd's INSTREAM as its manual page describes it."""

import contextlib
import socket
import struct
import threading

import pytest

from crm.errors import outcome_of
from crm.files import antivirus

# The industry's harmless test file, in two parts so that no scanner stops at this source (https://www.eicar.org).
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd(threading.Thread):
    """One thread that answers one connection after another; `stream_max` is StreamMaxLength of clamd.conf."""

    def __init__(self, listener, stream_max=25 * 1024 * 1024):
        super().__init__(daemon=True)
        self.listener, self.stream_max, self.scanned = listener, stream_max, []

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _peer = self.listener.accept()
                with connection, connection.makefile("rb") as file, contextlib.suppress(ConnectionError):
                    connection.sendall(self.answer(file))

    def answer(self, file):
        command = b""
        while not command.endswith(b"\0"):
            command += file.read(1)
        if command == b"zVERSION\0":
            return b"ClamAV 1.4.3/27712/Wed Nov 25 09:31:02 2026\0"
        assert command == b"zINSTREAM\0"
        content = b""
        while (size := struct.unpack("!L", file.read(4))[0]) > 0:
            if len(content) + size > self.stream_max:
                return b"INSTREAM size limit exceeded. ERROR\0"
            content += file.read(size)
        self.scanned.append(content)
        return b"stream: Win.Test.EICAR_HDB-1 FOUND\0" if EICAR in content else b"stream: OK\0"


@contextlib.contextmanager
def clamd_at(settings, address, **options):
    """Run a clamd at a Unix socket's path, or at a free port for None, and have it used."""
    family = socket.AF_UNIX if address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind(str(address) if address else ("127.0.0.1", 0))
        listener.listen()
        settings.CLAMD = f"unix:{address}" if address else f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        thread = Clamd(listener, **options)
        thread.start()
        yield thread
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize("is_unix", [True, False])
def test_clean_files_pass_and_malware_is_named(settings, tmp_path, is_unix):
    whole = bytes(range(256)) * 2048
    with clamd_at(settings, tmp_path / "clamd.ctl" if is_unix else None) as clamd:
        antivirus.scan(whole)
        antivirus.scan(b"")
        with pytest.raises(antivirus.FileInfected, match="found malware") as found:
            antivirus.scan(whole + EICAR)
        assert antivirus.version().startswith("ClamAV 1.4.3")
    assert found.value.signature == "Win.Test.EICAR_HDB-1"
    assert clamd.scanned == [whole, b"", whole + EICAR]


def test_a_file_above_clamds_own_limit_is_refused(settings, tmp_path):
    with clamd_at(settings, tmp_path / "c", stream_max=200_000), pytest.raises(antivirus.TooLargeToScan):
        antivirus.scan(bytes(8 * 1024 * 1024))


def test_a_scanner_that_is_away_is_no_clean_file(settings, tmp_path, client):
    for setting in (f"unix:{tmp_path}/none", "tcp://127.0.0.1:9", "clamd.ctl"):
        settings.CLAMD = setting
        with pytest.raises(antivirus.ScannerAway):
            antivirus.scan(b"x")
        assert not outcome_of(antivirus.version, only=antivirus.ScannerAway)
    settings.CLAMD = ""
    antivirus.scan(EICAR)


@pytest.mark.django_db
def test_the_health_probe_names_the_scanner_where_one_is_set(client, settings, tmp_path):
    assert "virus_scanner" not in client.get("/healthz").json()
    settings.CLAMD = f"unix:{tmp_path}/none"
    answer = client.get("/healthz")
    assert answer.status_code == 200 and answer.json()["virus_scanner"] is False
