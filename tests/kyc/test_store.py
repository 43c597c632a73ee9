"""The file store: encrypted, whole or not at all, and unreadable once the client's key is gone."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from crm.privacy import erasures
from crm.security import crypto
from kyc import store

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("size", [0, 1, store.CHUNK_BYTES - 1, store.CHUNK_BYTES, store.CHUNK_BYTES + 1, 3_000_000])
def test_what_is_put_comes_back(cast, size):
    content = os.urandom(size)
    stored = store.put(client_id=cast.client.pk, content=content)
    assert store.read(client_id=cast.client.pk, key=stored.key) == content
    assert stored.size_bytes == size


def test_the_disk_holds_no_plain_text_and_no_one_else_may_read(cast):
    stored = store.put(client_id=cast.client.pk, content=b"PASSPORT OF CLARA WEBER" * 100)
    path = store.path_of(stored.key)
    assert b"CLARA" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert Path(settings.PRIVATE_DIR) in path.parents


def test_a_file_of_another_client_does_not_open(cast):
    stored = store.put(client_id=cast.client.pk, content=b"secret")
    store.put(client_id=cast.other_client.pk, content=b"other")
    with pytest.raises(store.FileDamaged):
        store.read(client_id=cast.other_client.pk, key=stored.key)


def test_destroying_the_clients_key_makes_the_file_unreadable(cast):
    stored = store.put(client_id=cast.client.pk, content=b"secret")
    erasures.destroy_client_key(cast.client.pk)
    with pytest.raises(crypto.KeyDestroyed):
        store.read(client_id=cast.client.pk, key=stored.key)


@pytest.mark.parametrize("damage", ["flip", "cut at a chunk", "cut", "append", "swap chunks"])
def test_damage_is_noticed(cast, damage):
    stored = store.put(client_id=cast.client.pk, content=os.urandom(store.CHUNK_BYTES * 3))
    path = store.path_of(stored.key)
    raw = bytearray(path.read_bytes())
    chunk = 4 + store.NONCE_BYTES + store.CHUNK_BYTES + 16
    first = len(raw) - 3 * chunk
    if damage == "flip":
        raw[len(raw) // 2] ^= 1
    elif damage == "cut at a chunk":
        raw = raw[: first + 2 * chunk]
    elif damage == "cut":
        raw = raw[:-10]
    elif damage == "append":
        raw += b"x"
    else:
        raw[first : first + 2 * chunk] = raw[first + chunk : first + 2 * chunk] + raw[first : first + chunk]
    path.write_bytes(raw)
    with pytest.raises(store.FileDamaged):
        store.read(client_id=cast.client.pk, key=stored.key)


def test_a_key_is_never_a_path(cast):
    for key in ("../../etc/passwd", "ab/../../x", "/etc/passwd", "", "zz/" + "0" * 32):
        with pytest.raises(store.FileMissing):
            list(store.stream(client_id=cast.client.pk, key=key))


FILL = """
import os, resource, signal, sys
import django
django.setup()
from kyc import store
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
try:
    store.put(client_id=int(sys.argv[1]), content=os.urandom(3_000_000))
except store.StorageFull as error:
    print("told:", error.message)
    print("left:", [p.name for p in store.root().rglob("*") if p.is_file()])
"""


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_is_told_and_nothing_half_is_left(cast, tmp_path):
    """A limit on file size refuses a write in its middle, as a full disk does."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    store.put(client_id=cast.client.pk, content=b"makes the client's key")
    environment = {**os.environ, "KEELSON_PRIVATE_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "tests.kyc.elsewhere"}
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(cast.client.pk)],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "told: The file couldn't be saved: our storage is full." in done.stdout, done.stderr
    assert "left: []" in done.stdout


def test_no_space_left_at_the_very_end_leaves_nothing(cast, monkeypatch):
    before = {path for path in store.root().rglob("*") if path.is_file()}

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(store.StorageFull):
        store.put(client_id=cast.client.pk, content=b"x" * 1000)
    assert {path for path in store.root().rglob("*") if path.is_file()} == before
