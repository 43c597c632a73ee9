#!/usr/bin/env python3
"""Checks an audit pack of Keelson: a PDF with a client's trail that proves itself. Needs only Python and `cryptography`.

    python verify_pack.py PACK.pdf [--key FINGERPRINT]

It checks that the signature in the last line covers every byte before it; that each row's text hashes to a leaf; that the
leaf and its siblings give the root of the row's seal; that the seal's hash is made of its root, its count, its time and the seal
before it, and is signed by the same key; and that what is shown of a row is what its text says. Exit status: 0 when all of it
holds, 1 when something does not (named on standard error), 2 when the file is no pack.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import re
import sys
import zlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "keelson-audit-pack/1"
SIGNATURE = re.compile(rb"%KEELSON-PACK-SIGNATURE v1 key=([0-9a-f]{64}) signature=([0-9a-f]{128})\n\Z")
SIGNATURE_LENGTH = len("%KEELSON-PACK-SIGNATURE v1 key= signature=\n") + 64 + 128
STREAM = re.compile(rb">>\s*stream\r?\n")
DICTIONARY_BYTES_MAX = 4096
ATTACHMENT_BYTES_MAX = 512 * 1024 * 1024


class NoPack(Exception):
    """The file is not a pack at all."""


def verify(content: bytes, *, key: str = "") -> tuple[dict, list[str]]:
    """(the attached trail, what does not hold). Raises NoPack."""
    trailer = SIGNATURE.search(content[-SIGNATURE_LENGTH:])
    if trailer is None:
        raise NoPack(
            "the last line is not the signature of a pack: the file is something else, or its end was cut or changed"
        )
    signed = content[:-SIGNATURE_LENGTH]
    public = trailer[1].decode()
    problems = []
    if not _is_signed(public, bytes.fromhex(trailer[2].decode()), b"keelson-pack|" + hashlib.sha256(signed).digest()):
        problems.append("the signature does not fit: at least one byte of the file was changed")
    try:
        trail = attached(signed)
    except NoPack:
        if not problems:
            raise
        return {"rows": [], "seals": [], "public_key": public}, problems
    problems += list(_problems_of(trail, public))
    if key and _plain(key) != _plain(fingerprint(public)):
        problems.append(f"signed by the key {fingerprint(public)}, not by the expected {key}")
    return trail, problems


def fingerprint(public_key: str) -> str:
    digest = hashlib.sha256(bytes.fromhex(public_key)).hexdigest()[:32]
    return ":".join(digest[at : at + 4] for at in range(0, 32, 4))


def attached(pdf: bytes) -> dict:
    """The attachment `trail.json`. Raises NoPack."""
    for match in STREAM.finditer(pdf):
        # The object's dictionary: from its last `obj` to the stream.
        dictionary = pdf[max(0, match.start() - DICTIONARY_BYTES_MAX) : match.start()].rpartition(b" obj")[2]
        if b"/EmbeddedFile" not in dictionary:
            continue
        length = re.search(rb"/Length\s+(\d+)", dictionary)
        if length is None:
            continue
        data = pdf[match.end() : match.end() + int(length[1])]
        try:
            if b"/FlateDecode" in dictionary:
                data = zlib.decompressobj().decompress(data, ATTACHMENT_BYTES_MAX)
            trail = json.loads(data)
        except (zlib.error, ValueError) as error:
            raise NoPack(f"the attachment can't be read: {error}") from error
        if isinstance(trail, dict) and trail.get("format") == FORMAT:
            return trail
    raise NoPack("there is no attachment of a pack in this file")


def _problems_of(trail: dict, public: str):
    if trail.get("public_key") != public:
        yield "the key in the attachment is not the key of the signature"
    seals = {seal["id"]: seal for seal in trail["seals"]}
    for seal in seals.values():
        yield from _seal_problems(seal, public)
    for row in trail["rows"]:
        yield from _row_problems(row, seals)


def _seal_problems(seal: dict, public: str):
    parts = [bytes.fromhex(seal["previous_hash"]), bytes.fromhex(seal["root"]), str(seal["leaf_count"]).encode()]
    digest = hashlib.sha256(b"|".join([*parts, seal["sealed_at"].encode()])).digest()
    if digest.hex() != seal["hash"]:
        yield f"seal {seal['id']}: its hash is not made of its root, count and time"
    if not _is_signed(public, bytes.fromhex(seal["signature"]), digest):
        yield f"seal {seal['id']}: not signed by this key"


def _row_problems(row: dict, seals: dict):
    sealed = row.get("sealed")
    if sealed is None:
        return
    seal = seals.get(sealed["seal"])
    if seal is None:
        yield f"row {row['id']}: its seal is missing"
        return
    leaf = hashlib.sha256(b"\x00" + sealed["text"].encode()).digest()
    try:
        reached = _climb(leaf, sealed["position"], seal)
    except KeyError as missing:
        yield f"row {row['id']}: a hash of its proof is missing ({missing})"
        return
    if reached.hex() != seal["root"]:
        yield f"row {row['id']}: its text does not lead to the root of seal {seal['id']}"
    yield from _shown_problems(row, sealed["text"])


def _climb(leaf: bytes, position: int, seal: dict) -> bytes:
    """From a leaf to the root: SHA-256 over 0x01 and both children; an odd last node moves up unchanged."""
    current, width, level = leaf, seal["leaf_count"], 0
    while width > 1:
        sibling = position ^ 1
        if sibling < width:
            other = bytes.fromhex(seal["nodes"][f"{level}:{sibling}"])
            pair = other + current if sibling < position else current + other
            current = hashlib.sha256(b"\x01" + pair).digest()
        position, width, level = position // 2, (width + 1) // 2, level + 1
    return current


def _shown_problems(row: dict, text: str):
    """What the row shows must be what its sealed text says: id, time, actor, action, target."""
    parts = text.split("|")
    at = dt.datetime.fromisoformat(parts[1]).strftime("%Y-%m-%d %H:%M:%S UTC")
    said = {
        "id": parts[0],
        "at": at,
        "actor": bytes.fromhex(parts[3]).decode(),
        "action": parts[4],
        "target": f"{parts[5].partition('.')[2] or parts[5]} #{bytes.fromhex(parts[6]).decode()}",
        "ip": parts[9],
    }
    for name, value in said.items():
        if str(row[name]) != value:
            yield f"row {row['id']}: shows {name} {row[name]!r}, but {value!r} was sealed"


def _is_signed(public: str, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _plain(key: str) -> str:
    return key.replace(":", "").strip().lower()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--key", default="", help="the fingerprint of the operator's key, from another source than the file"
    )
    options = parser.parse_args(arguments)
    try:
        trail, problems = verify(options.file.read_bytes(), key=options.key)
    except (NoPack, OSError) as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 2
    for problem in problems[:20]:
        print(problem, file=sys.stderr)
    rows = trail["rows"]
    unsealed = sum(row.get("sealed") is None for row in rows)
    if problems:
        print(f"{options.file}: does NOT hold ({len(problems)} problems)", file=sys.stderr)
        return 1
    print(f"{options.file}: holds. {len(rows)} rows under {len(trail['seals'])} seals, {unsealed} not sealed.")
    print(
        f"Signed by {fingerprint(trail['public_key'])}" + ("" if options.key else ": compare it with the operator's.")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
