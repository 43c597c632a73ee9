"""The published vectors: BIP-173, BIP-350, Base58Check, EIP-55."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.psp.dialects.btcpay_addresses import segwit_address
from wallet.psp.btcpay.crypto_addresses import base58check, bech32, is_address, is_ethereum_address, segwit_program

GOOD_SEGWIT = [  # BIP-350, "valid segwit addresses", with their witness version and program
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc", 0, "751e76e8199196d454941c45d1b3a323f1433bd6"),
    (
        "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
        "tb",
        0,
        "1863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
    ),
    (
        "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
        "bc",
        1,
        "751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6",
    ),
    ("BC1SW50QGDZ25J", "bc", 16, "751e"),
    ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "bc", 2, "751e76e8199196d454941c45d1b3a323"),
    (
        "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
        "tb",
        1,
        "000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
    ),
    (
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "bc",
        1,
        "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    ),
]
BAD_SEGWIT = [  # BIP-350, "invalid segwit addresses"
    "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
    "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
    "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
    "bc1pw5dgrnzv",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
    "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
    "bc1gmk9yu",
]
GOOD_BECH32 = [  # BIP-173
    "A12UEL5L",
    "a12uel5l",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "?1ezyfcl",
]
GOOD_BECH32M = ["A1LQFN3A", "a1lqfn3a", "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", "?1v759aa"]
BAD_BECH32 = [
    "\x201nwldj5",
    "pzry9x0s0muk",
    "1pzry9x0s0muk",
    "x1b4n0q5v",
    "li1dgmt3",
    "A1G7SGD8",
    "10a06t8",
    "1qzzfhee",
]
EIP55 = [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
]


@pytest.mark.parametrize(("address", "prefix", "version", "program"), GOOD_SEGWIT)
def test_bip_350_s_good_addresses(address, prefix, version, program):
    assert segwit_program(address, prefix) == (version, bytes.fromhex(program))


@pytest.mark.parametrize("address", BAD_SEGWIT)
def test_bip_350_s_bad_addresses(address):
    assert segwit_program(address, "bc") is None
    assert segwit_program(address, "tb") is None


@pytest.mark.parametrize("text", GOOD_BECH32)
def test_bip_173_s_good_strings(text):
    assert bech32(text)[2] == 1


@pytest.mark.parametrize("text", GOOD_BECH32M)
def test_bip_350_s_good_strings(text):
    assert bech32(text)[2] == 0x2BC830A3


@pytest.mark.parametrize("text", BAD_BECH32)
def test_bip_173_s_bad_strings(text):
    assert bech32(text) is None


@pytest.mark.parametrize(
    ("address", "network", "good"),
    [
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "btc", True),
        ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "btc", True),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "btc", False),
        ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "btc", False),  # a test network
        ("LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9", "ltc", True),
        ("LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9", "btc", False),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "tron", True),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T", "tron", False),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "btc", True),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "ltc", False),
        ("", "btc", False),
        ("0OIl", "btc", False),
    ],
)
def test_addresses_of_a_network(address, network, good):
    assert is_address(address, network) is good


def test_base58check_keeps_leading_zeros():
    assert base58check("1111111111111111111114oLvT2") == bytes(21)


@pytest.mark.parametrize("address", EIP55)
def test_eip_55(address):
    assert is_ethereum_address(address)
    swapped = address[:-3] + address[-3:].swapcase()
    mixed = swapped[2:] not in (swapped[2:].lower(), swapped[2:].upper())
    if swapped != address and mixed:
        assert not is_ethereum_address(swapped)


def test_ethereum_without_case_has_no_checksum_and_other_lengths_are_none():
    assert is_ethereum_address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")
    assert not is_ethereum_address("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae")
    assert not is_ethereum_address("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")


@given(program=st.binary(min_size=20, max_size=20), place=st.integers(4, 41), other=st.sampled_from("qpzry9x8"))
def test_an_address_reads_back_and_one_wrong_letter_is_found(program, place, other):
    address = segwit_address(program)
    assert segwit_program(address, "bc") == (0, program)
    changed = address[:place] + other + address[place + 1 :]
    assert is_address(changed, "btc") == (changed == address)
