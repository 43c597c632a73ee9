"""Sealed values: each under its own key, bound to what it belongs to, alone and by the thousand."""

import pytest
from django.utils import timezone

from crm.models import SubjectKey
from crm.security import crypto, keys
from crm.security.crypto import InvalidTag, KeyDestroyed

pytestmark = pytest.mark.django_db
ONE, TWO, NONE = 900_101, 900_102, 900_103


def changed(sealed: bytes) -> bytes:
    return sealed[:-1] + bytes([sealed[-1] ^ 1])


def destroy(client_id: int) -> None:
    SubjectKey.objects.filter(client_id=client_id).update(wrapped=None, destroyed_at=timezone.now())


def test_a_value_of_the_instance_opens_for_its_purpose_alone():
    sealed = crypto.encrypt(b"secret", purpose="a")
    assert crypto.decrypt(sealed, purpose="a") == crypto.decrypt(memoryview(sealed), purpose="a") == b"secret"
    assert crypto.decrypt(sealed, purpose="a", bound_to="a") == b"secret", "bound to its purpose where nothing is named"
    for purpose, bound_to in (("b", ""), ("a", "b")):
        with pytest.raises(InvalidTag):
            crypto.decrypt(sealed, purpose=purpose, bound_to=bound_to)


def test_the_same_text_is_never_sealed_alike():
    assert crypto.encrypt(b"secret", purpose="a") != crypto.encrypt(b"secret", purpose="a")
    first, second = (crypto.encrypt_for_client(ONE, b"secret") for _ in range(2))
    assert first != second and first[: crypto.NONCE_BYTES] != second[: crypto.NONCE_BYTES]
    assert len(first) == crypto.NONCE_BYTES + len(b"secret") + 16, "nonce, ciphertext, tag"


def test_a_value_from_before_keys_had_names_still_opens():
    sealed = crypto._seal(keys.field_key().derived("a"), b"old", b"a")
    assert crypto.decrypt(sealed, purpose="a") == b"old"
    with pytest.raises(InvalidTag):
        crypto.decrypt(changed(sealed), purpose="a")


def test_a_clients_key_is_made_once():
    crypto.encrypt_for_client(ONE, b"x")
    kept = SubjectKey.objects.get(client_id=ONE).wrapped
    crypto.encrypt_many_for_clients([(ONE, b"y"), (TWO, b"z"), (ONE, b"w")])
    assert SubjectKey.objects.get(client_id=ONE).wrapped == kept
    assert SubjectKey.objects.filter(client_id__in=[ONE, TWO]).count() == 2
    assert crypto._client_key(ONE, create=True) != crypto._client_key(TWO, create=True)


def test_many_are_sealed_each_for_its_client():
    sealed = crypto.encrypt_many_for_clients([(ONE, b"a"), (TWO, b"b"), (ONE, b"c")])
    assert [crypto.decrypt_for_client(pk, value) for pk, value in zip((ONE, TWO, ONE), sealed, strict=True)] == [
        b"a",
        b"b",
        b"c",
    ]
    seal = crypto.sealers_for_clients([ONE, TWO])
    assert crypto.decrypt_for_client(TWO, seal[TWO](b"later")) == b"later"
    for value in (sealed[0], seal[ONE](b"later")):
        with pytest.raises(InvalidTag):
            crypto.decrypt_for_client(TWO, value)


def test_of_many_each_failure_is_in_its_place(django_assert_num_queries):
    first, second = crypto.encrypt_for_client(ONE, b"a"), crypto.encrypt_for_client(TWO, b"b")
    destroy(TWO)
    values = [
        (ONE, first),
        (TWO, second),
        (NONE, first),
        (ONE, changed(first)),
        (ONE, memoryview(first)),
        (TWO, second),
    ]
    with django_assert_num_queries(1):
        opened = crypto.decrypt_many_for_clients(values)
    assert [opened[0], opened[4]] == [b"a", b"a"]
    assert [type(one) for one in opened] == [bytes, KeyDestroyed, KeyDestroyed, InvalidTag, bytes, KeyDestroyed]
    assert "was destroyed" in str(opened[1]) and "has no key" in str(opened[2])


def test_a_client_without_a_key_has_nothing_to_read():
    sealed = crypto.encrypt_for_client(ONE, b"a")
    with pytest.raises(KeyDestroyed, match="has no key"):
        crypto.decrypt_for_client(NONE, sealed)
    assert not SubjectKey.objects.filter(client_id=NONE).exists(), "reading makes none"
    destroy(ONE)
    with pytest.raises(KeyDestroyed, match="was destroyed"):
        crypto.decrypt_for_client(ONE, sealed)
    with pytest.raises(KeyDestroyed):
        crypto.encrypt_for_client(ONE, b"again")
