"""The MT5 Web API's wire format against published and recorded vectors."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trading.core import clock, passwords
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, ReadTimedOut
from trading.platforms.mt5 import crypt, retcodes, units, wire

CRYPT_RAND = (
    "0de18c436abe58fc2517ee949086d588fca58a6d7fc76a3ff4e6d1f742dd845be2d74c1a9b08e418909b15077deb2037"
    "3ef55caf910e207c1cd1e349b25ca230d2bc83d070a5b7a0f866a482911d449c9f27c8638bdb82f8c67801b80b5b7e0f"
    "e576778c72fd993b6662e32f5284095e272416b2f698565cf9c3736cd744de9e24ee707727785291e1761a344a883625"
    "ded28ec358ac654fbe9a808c9d7e8b88960cb8b9197fa94b718a90b90192959bcd1a78bf3c7f777a1ce57240e6714d73"
    "43b99679d07867111e878ee7fe08ec66fbe41bcd277954851b8c8fb23985eb0834db51dfd3cd548af1535ce5c954042e"
    "7019c016a302c317c37720071e222fee"
)


def framed(text: str, number: int) -> bytes:
    body = wire.encode(text)
    return wire.header(len(body), number) + body


# -- frames -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parameters", "number", "header"),
    [
        ("SYMBOL_NEXT", {"INDEX": 0}, 3, b"002c00030"),
        ("TEST", {}, 10, b"000e000a0"),
        (
            "AUTH_START",
            {
                "VERSION": 3211,
                "AGENT": "WebApiExtensionExample",
                "LOGIN": 33007,
                "TYPE": "MANAGER",
                "CRYPT_METHOD": "NONE",
            },
            1,
            b"00c400010",
        ),
        (
            "AUTH_ANSWER",
            {"SRV_RAND_ANSWER": "be9a2d07a2191d0fd2279601c59b5d19", "CLI_RAND": "e7de570c734df3896d3819b24da67112"},
            2,
            b"00d200020",
        ),
    ],
)
def test_frames_of_real_clients_come_out_byte_for_byte(
    name: str, parameters: dict[str, object], number: int, header: bytes
) -> None:
    text = wire.command_text(name, parameters)
    assert framed(text, number) == header + text.encode("utf-16-le")


def test_a_recorded_answer_line_is_read() -> None:
    line = "AUTH_START|RETCODE=0 Done|VERSION_ACCESS=3320|SRV_RAND=7a69e44f6d214cacd7a1d144d0b2f039|\r\n"
    answer = wire.decode(line.encode("utf-16-le"))
    assert (answer.name, answer.retcode, answer.retcode_text) == ("AUTH_START", 0, "Done")
    assert answer.parameters["SRV_RAND"] == "7a69e44f6d214cacd7a1d144d0b2f039"
    assert answer.json() is None


def test_packet_numbers_wrap_before_the_range_of_the_servers_pings() -> None:
    assert wire.next_number(0) == 1
    assert wire.next_number(0x3FFE) == 0x3FFF
    assert wire.next_number(0x3FFF) == 1


def test_a_ping_is_an_empty_packet_with_a_number_of_the_server() -> None:
    (packet,) = wire.FrameReader().feed(b"000042680")
    assert packet.is_ping
    assert packet.number == 0x4268


def test_a_stream_split_at_every_byte_gives_the_same_packets() -> None:
    stream = (
        framed("TEST|RETCODE=0 Done|\r\n", 7) + b"000042680" + wire.header(4, 8, more=True) + b"abcd" + b"000000080"
    )
    whole = wire.FrameReader().feed(stream)
    for at in range(len(stream)):
        reader = wire.FrameReader()
        assert reader.feed(stream[:at]) + reader.feed(stream[at:]) == whole
    reader = wire.FrameReader()
    assert [packet for byte in stream for packet in reader.feed(bytes([byte]))] == whole
    assert not reader.has_partial_packet


def test_upper_case_headers_are_read_and_anything_else_is_refused() -> None:
    assert wire.FrameReader().feed(b"000A00010" + b"x" * 10)[0].body == b"x" * 10
    for junk in (b"HTTP/1.1 ", b"+00a00010", b"000a00012", b" 00a00010"):
        with pytest.raises(wire.WireError):
            wire.FrameReader().feed(junk + b"rest")


@pytest.mark.parametrize("length", [0, 1, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFC, 0x1FFFD])
def test_messages_around_64_kib_are_cut_and_joined_again(length: int) -> None:
    body = bytes(index % 251 for index in range(length))
    pieces = list(wire.parts(body))
    assert b"".join(piece for piece, _more in pieces) == body
    assert [more for _piece, more in pieces] == [True] * (len(pieces) - 1) + [False]
    assert all(len(piece) <= wire.BODY_BYTES_MAX for piece, _more in pieces)


# -- escaping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "escaped"),
    [("a\\b", "a\\\\b"), ("a=b", "a\\=b"), ("a|b", "a\\|b"), ("a\nb", "a\\\nb"), ("плюс 🙂", "плюс 🙂")],
)
def test_values_are_escaped_as_the_documentation_says(value: str, escaped: str) -> None:
    assert wire.escape(value) == escaped
    assert wire.unescape(escaped) == value


def test_a_lone_backslash_is_a_backslash() -> None:
    plain = wire.parse("USER_GET|GROUP=demo\\forex|\r\n")
    doubled = wire.parse("USER_GET|GROUP=demo\\\\forex|\r\n")
    assert plain.parameters["GROUP"] == doubled.parameters["GROUP"] == "demo\\forex"


def test_names_are_read_in_any_case_and_without_the_last_bar() -> None:
    answer = wire.parse("user_get|login=7|Retcode=0 Done\r\n")
    assert answer.name == "USER_GET"
    assert answer.parameters == {"LOGIN": "7", "RETCODE": "0 Done"}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["A", "B", "C"]), st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_text_survives_a_command_line(parameters: dict[str, str]) -> None:
    text = wire.command_text("CMD", parameters, '{"x": 1}')
    answer = wire.decode(wire.encode(text))
    assert answer.parameters == parameters
    assert json.loads(answer.body) == {"x": 1}


def test_json_with_line_feeds_and_backslashes_stays_whole() -> None:
    body = '[{\r\n"Group" : "demo\\\\forex",\r\n"Volume" : "10000"\r\n}]'
    answer = wire.parse("GROUP_GET|RETCODE=0 Done|\r\n" + body)
    assert answer.rows() == [{"Group": "demo\\forex", "Volume": "10000"}]


@pytest.mark.parametrize("text", ["", "\r\n", "X|RETCODE=Done|\r\n", "X|\r\n"])
def test_answers_without_a_name_or_a_code_are_refused(text: str) -> None:
    with pytest.raises(wire.WireError):
        assert wire.parse(text).retcode == "never"


def test_broken_json_is_refused_not_guessed() -> None:
    with pytest.raises(wire.WireError):
        wire.parse("X|RETCODE=0 Done|\r\n{'single': 'quotes'}").json()


# -- authentication and cipher ----------------------------------------------------------------------------------------


def test_the_published_authentication_vectors() -> None:
    secret = crypt.password_hash("Password1")
    assert secret.hex() == "904ba8ecb16273d2f0ae9c3b8a023752"
    assert crypt.answer_to(secret, "73007dc7184747ce0f7c98516ef1c851") == "77fe51827f7fa69dd80fbec9aa33f1bb"
    assert crypt.answer_to(secret, "4db98fec17aab4dc5a240bdc659e8395") == "1732021b1b332f51660b2b315eed3a35"
    assert crypt.is_same("77FE51827F7FA69DD80FBEC9AA33F1BB", "77fe51827f7fa69dd80fbec9aa33f1bb")
    assert not crypt.is_same("77fe", "77fe51827f7fa69dd80fbec9aa33f1bb")


def test_the_published_key_chain() -> None:
    chain = crypt.key_chain(crypt.password_hash("demoPASWORD^123"), CRYPT_RAND)
    assert [value.hex() for value in chain[:4]] == [
        "054a2c5813c3d7e32e7da05bad7b11b0",
        "442325e1a1edd3f05cf91aa5893c6b0b",
        "da41d3b5ca5dcbfe56b9e5e1dca87d67",
        "1bd1d925618d3524333248b2c79eed72",
    ]
    with pytest.raises(ValueError, match="CRYPT_RAND"):
        crypt.key_chain(b"x" * 16, "00")


def test_each_packet_starts_at_a_fresh_block_of_the_cipher() -> None:
    outgoing, _incoming = crypt.ciphers(crypt.password_hash("demoPASWORD^123"), CRYPT_RAND)
    body = "SYMBOL_TOTAL|\r\n".encode("utf-16-le")
    assert outgoing.apply(body).hex() == "8c6f9e5343b25cd9a902d9f1d17ea99e3317a29f1c2a4bf8e890a954072f"
    assert outgoing.apply(body).hex() == "7b9d6bd126851ae2133dc61c947796afe620e3b07a06027998217d5c7a64"


@given(st.lists(st.binary(max_size=80)))
def test_the_cipher_undoes_itself_over_any_packets(packets: list[bytes]) -> None:
    secret = crypt.password_hash("demoPASWORD^123")
    one, _ = crypt.ciphers(secret, CRYPT_RAND)
    other, _ = crypt.ciphers(secret, CRYPT_RAND)
    assert [other.apply(one.apply(packet)) for packet in packets] == packets


# -- answer codes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [3, 4, 8, 13, 3002, 3004, 3006, 3008, 3010, 4005, 10019])
def test_refusals_are_final_for_reads_and_writes(code: int) -> None:
    for is_write in (True, False):
        assert type(retcodes.error_for(code, text="", command="X", is_write=is_write)) is FinalError


@pytest.mark.parametrize("code", [2, 5, 6, 7, 9, 10, 14, 15, 16, 10001, 10012, 10031, 99999])
def test_a_write_with_an_unclear_answer_has_an_unknown_outcome(code: int) -> None:
    assert type(retcodes.error_for(code, text="", command="X", is_write=True)) is OutcomeUnknown


@pytest.mark.parametrize("code", [7, 9, 10, 11, 15])
def test_a_read_may_be_repeated_after_trouble_inside_the_platform(code: int) -> None:
    assert type(retcodes.error_for(code, text="", command="X", is_write=False)) is ReadTimedOut


@pytest.mark.parametrize("code", [12, 1018, 10024])
def test_a_busy_server_did_not_begin(code: int) -> None:
    assert type(retcodes.error_for(code, text="", command="X", is_write=True)) is PlatformBusy


def test_a_refused_log_in_means_that_nothing_was_started() -> None:
    error = retcodes.error_for(1001, text="Invalid account", command="AUTH_ANSWER", is_write=True)
    assert type(error) is NotStarted
    assert str(error) == "AUTH_ANSWER: code 1001: the manager login or password is wrong"


# -- units ------------------------------------------------------------------------------------------------------------


def test_volumes_are_exact_in_both_units() -> None:
    assert units.lots(units.volume_ext({"Volume": "10000", "VolumeExt": "100000000"})) == Decimal("1")
    assert units.lots(units.volume_ext({"Volume": "100"})) == Decimal("0.01")
    assert units.lots(1) == Decimal("0.00000001")
    assert units.volume_ext({"VolumeClosed": "5000"}, "VolumeClosed") == 50_000_000


def test_amounts_never_pass_through_a_float() -> None:
    assert units.decimal("-14.07") == Decimal("-14.07")
    assert str(units.decimal("0.1")) == "0.1"
    assert units.decimal("") == 0
    for nonsense in ("NaN", "Infinity", "1,5", "abc"):
        with pytest.raises(ValueError):
            units.decimal(nonsense)


def test_a_reference_longer_than_a_deal_comment_is_refused_not_cut() -> None:
    assert units.reference_fits("D:" + "A" * 29)
    assert not units.reference_fits("D:" + "A" * 30)
    assert not units.reference_fits("D:🙂")
    assert not units.reference_fits("")


def test_half_a_character_is_replaced_so_that_a_database_takes_it() -> None:
    assert units.text("ok \ud83d") == "ok �"
    assert units.text("nul\x00") == "nul"
    assert units.text("🙂") == "🙂"
    assert units.shorten("🙂🙂", 3) == "🙂"


def test_platform_passwords_follow_the_servers_rule() -> None:
    assert passwords.is_acceptable("Abcdef1!")
    for weak in ("Abcde1!", "abcdefg1!", "ABCDEFG1!", "Abcdefgh!", "Abcdefgh1", "Abcdefghijklmn12!"):
        assert not passwords.is_acceptable(weak)


def test_server_time_is_a_wall_clock_with_summer_time() -> None:
    zone = ZoneInfo("EET")
    winter = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
    summer = datetime(2026, 7, 15, 10, 0, tzinfo=UTC)
    assert clock.to_server_seconds(winter, zone) - int(winter.timestamp()) == 2 * 3600
    assert clock.to_server_seconds(summer, zone) - int(summer.timestamp()) == 3 * 3600
    for instant in (winter, summer):
        assert clock.to_utc(clock.to_server_seconds(instant, zone) * 1000, zone) == instant


def test_in_the_doubled_hour_of_autumn_the_earlier_instant_is_taken() -> None:
    zone = ZoneInfo("EET")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 03:30 summer time
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # 03:30 winter time
    assert clock.to_server_seconds(first, zone) == clock.to_server_seconds(second, zone)
    assert clock.to_utc(clock.to_server_seconds(second, zone) * 1000, zone) == first
