"""The format of encrypted files is the one of docs/sealed-files.md: a reader from that page opens ours, ours opens its vectors."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crm.security import sealed_files

VECTORS = json.loads((Path(__file__).parent / "vectors" / "sealed_files.json").read_text())
LAST = 1 << 31


def derived(field_key: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info.encode()).derive(field_key)


def opened(file: bytes, *, name: str, field_key: bytes, purpose: str) -> bytes:
    """As the page describes it, without our code."""
    assert file[:8] == b"KEELSON1"
    (length,) = struct.unpack(">H", file[8:10])
    wrapped, rest = file[10 : 10 + length], file[10 + length :]
    assert wrapped[:8] == b"KFK1" + derived(field_key, "keelson:key-id")[:4]
    key = AESGCM(derived(field_key, f"keelson:{purpose}")).decrypt(wrapped[8:20], wrapped[20:], purpose.encode())
    content, number, is_last = b"", 0, 0
    while not is_last:
        (head,) = struct.unpack(">I", rest[:4])
        is_last, end = int(head >= LAST), 4 + (head & ~LAST)
        content += AESGCM(key).decrypt(rest[4:16], rest[16:end], f"{name}|{number}|{is_last}".encode())
        rest, number = rest[end:], number + 1
    assert not rest
    return content


@pytest.mark.parametrize("size", [0, 1, 262_143, 262_144, 262_145, 700_000])
def test_a_reader_written_from_the_page_opens_our_files(tmp_path, settings, size):
    content = bytes(number % 251 for number in range(size))
    path = tmp_path / "statement.sealed"
    sealed_files.write(path, content, owner=sealed_files.of_instance("job-results"))
    field_key = bytes.fromhex(settings.FIELD_KEY)
    assert opened(path.read_bytes(), name=path.name, field_key=field_key, purpose="job-results") == content


@pytest.mark.parametrize("vector", VECTORS["files"], ids=lambda vector: vector["name"])
def test_we_open_the_vectors(tmp_path, settings, vector):
    settings.FIELD_KEY = VECTORS["field_key"]
    path = tmp_path / vector["name"]
    path.write_bytes(bytes.fromhex(vector["file"]))
    owner = sealed_files.of_instance(VECTORS["purpose"])
    assert sealed_files.read(path, owner=owner).hex() == vector["content"]


@pytest.mark.parametrize("vector", VECTORS["damaged"], ids=lambda vector: vector["why"])
def test_we_refuse_what_was_damaged(tmp_path, settings, vector):
    settings.FIELD_KEY = VECTORS["field_key"]
    path = tmp_path / vector["name"]
    path.write_bytes(bytes.fromhex(vector["file"]))
    with pytest.raises(sealed_files.FileDamaged):
        sealed_files.read(path, owner=sealed_files.of_instance(VECTORS["purpose"]))
