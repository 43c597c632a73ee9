"""What other people's servers send is bounded in bytes, headers and time, before it is held."""

import gzip
import time
import tracemalloc

import httpx
import pytest

from crm.outside.outbound import AnswerTooLarge, Bounds, request
from tests.hostile import MEGABYTE, answer, bomb, drip, drip_headers, endless, gzip_bomb, hostile

BOUNDS = Bounds(bytes_max=8 * MEGABYTE, seconds=20, timeout=httpx.Timeout(10))
HASTY = Bounds(bytes_max=8 * MEGABYTE, seconds=1, timeout=httpx.Timeout(10))


def test_four_hundred_megabytes_in_390_kb_of_gzip_are_refused_before_they_are_held():
    assert len(bomb()) < MEGABYTE
    with hostile(gzip_bomb) as server:
        tracemalloc.start()
        try:
            with pytest.raises(AnswerTooLarge):
                request("GET", server.url, bounds=BOUNDS)
            assert tracemalloc.get_traced_memory()[1] < 16 * MEGABYTE
        finally:
            tracemalloc.stop()


def test_a_body_without_end_is_refused():
    with hostile(endless) as server, pytest.raises(AnswerTooLarge):
        request("GET", server.url, bounds=BOUNDS)


@pytest.mark.parametrize("speak", [drip, drip_headers])
def test_a_server_that_drips_holds_nobody_beyond_the_deadline(speak):
    with hostile(speak) as server:
        begun = time.monotonic()
        with pytest.raises(httpx.HTTPError):
            request("GET", server.url, bounds=HASTY)
        assert time.monotonic() - begun < 15, "without a deadline it takes hours"


def test_many_headers_are_refused():
    with (
        hostile(answer(b"{}", *[b"x-%d: y" % number for number in range(500)])) as server,
        pytest.raises(AnswerTooLarge),
    ):
        request("GET", server.url, bounds=BOUNDS)
    with hostile(answer(b"{}", b"x: " + b"y" * 200_000)) as server, pytest.raises(httpx.RemoteProtocolError):
        request("GET", server.url, bounds=BOUNDS)


def test_a_redirect_is_not_followed():
    with hostile(answer(b"{}")) as elsewhere:
        to = b"Location: " + elsewhere.url.encode()
        with hostile(answer(b"", to, status=b"302 Found")) as server:
            assert request("GET", server.url, bounds=BOUNDS, headers={"Authorization": "key"}).status_code == 302
        assert elsewhere.asked == []


def test_an_honest_answer_arrives_whole_plain_and_compressed():
    body = b'{"name": "' + bytes(range(32, 127)) * 5_000 + b'"}'
    for headers, sent in (((), body), ((b"Content-Encoding: gzip",), gzip.compress(body))):
        with hostile(answer(sent, *headers)) as server:
            response = request("POST", server.url, bounds=BOUNDS, json={"a": 1})
        assert (response.status_code, response.content, response.is_success) == (200, body, True)
        assert response.headers["content-type"] == "application/json"
    assert b"accept-encoding: gzip, identity" in server.asked[0].lower()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b"a" * 90_000, mtime=0)[:-30], b"gzip"),
        (b"no gzip", b"gzip"),
        (b"x", b"br"),
        (b"x", b"gzip, gzip"),
    ],
)
def test_a_compressed_answer_that_is_cut_off_or_not_what_was_asked_for_is_none(body, encoding):
    with hostile(answer(body, b"Content-Encoding: " + encoding)) as server, pytest.raises(httpx.DecodingError):
        request("GET", server.url, bounds=BOUNDS)
