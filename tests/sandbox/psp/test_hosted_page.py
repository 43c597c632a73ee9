"""The hosted page, by form posts; and the program itself, as a process."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.sandbox.psp.running import RunningPsp
from tests.sandbox.psp.test_payments_and_payouts import SESSION

CARD = {
    "payer_name": "Anna Weber",
    "card_number": "4242 4242 4242 4242",
    "expiry": "12/39",
    "cvc": "123",
    "action": "pay",
}


def _open(psp: RunningPsp, code: str = "northpay", **more: str) -> str:
    return psp.call(code, "POST", "/payments", {**SESSION, **more}).json()["redirect_url"]


def test_a_card_pays_and_the_client_returns(psp: RunningPsp) -> None:
    url = _open(psp, merchant_name="Aurum <Markets>")
    page = httpx.get(url)
    assert "Aurum &lt;Markets&gt;" in page.text
    assert "500.00 EUR" in page.text
    answer = httpx.post(url, data=CARD)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("http://shop.example/back?a=1&reference=D-1&payment=pay_")
    assert answer.headers["location"].endswith("status=captured")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"card_number": "4242 4242 4242 4243"}, "not a card number"),
        ({"expiry": "01/20"}, "expired"),
        ({"expiry": "soon"}, "expired"),
        ({"cvc": "1"}, "security code"),
        ({"payer_name": ""}, "name on the card"),
    ],
)
def test_a_bad_card_gets_words_and_keeps_the_form(psp: RunningPsp, change: dict[str, str], words: str) -> None:
    answer = httpx.post(_open(psp), data=CARD | change)
    assert answer.status_code == 422
    assert words in answer.text
    assert (CARD | change)["card_number"] in answer.text


def test_a_declined_card_fails_the_payment(psp: RunningPsp) -> None:
    answer = httpx.post(_open(psp), data=CARD | {"card_number": "4000 0000 0000 0002"})
    assert "status=failed" in answer.headers["location"]
    assert psp.call("northpay", "GET", "/payments?reference=D-1").json()["failure"] == "declined_by_issuer"


def test_the_second_acquirer_asks_for_a_second_step(psp: RunningPsp) -> None:
    url = _open(psp, "cardinal", locale="de")
    step = httpx.post(url, data=CARD)
    assert "sechsstelligen Code" in step.text
    assert httpx.post(url, data=CARD | {"code": "12"}).status_code == 422
    assert "status=captured" in httpx.post(url, data=CARD | {"code": "123456"}).headers["location"]


def test_crypto_may_send_another_amount(psp: RunningPsp) -> None:
    url = _open(psp, "coinharbor")
    assert httpx.post(url, data={"action": "pay", "sent": "499.999"}).status_code == 422
    assert httpx.post(url, data={"action": "pay", "sent": "499.5"}).status_code == 303
    assert psp.call("coinharbor", "GET", "/payments?reference=D-1").json()["received_minor"] == 49_950


def test_every_character_shows_its_page(psp: RunningPsp) -> None:
    for code in ("northpay", "cardinal", "quickpurse", "sepalink", "coinharbor", "kassa"):
        page = httpx.get(_open(psp, code))
        assert page.status_code == 200
        assert 'value="pay"' in page.text


def test_declining_and_coming_back_later_leads_back_to_the_merchant(psp: RunningPsp) -> None:
    url = _open(psp, "kassa")
    httpx.post(url, data={"action": "decline"})
    assert "status=failed" in httpx.get(url).headers["location"]
    assert httpx.get(f"{psp.url}/kassa/pay/unknown").status_code == 404


def test_it_runs_as_a_process_and_a_taken_port_gets_a_message(psp: RunningPsp, tmp_path: Path) -> None:
    port = psp.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "sandbox.psp", "--state", str(tmp_path / "other.sqlite"), "--port"]
    taken = subprocess.run([*command, port], capture_output=True, text=True, timeout=30, check=False)
    assert taken.returncode == 1
    assert f"can't listen on 127.0.0.1:{port}" in taken.stderr
    with subprocess.Popen([*command, "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split(" on ")[1].strip()
        assert httpx.get(f"{url}/_control/state").status_code == 200
        process.terminate()
        assert process.wait(timeout=10) == 0
