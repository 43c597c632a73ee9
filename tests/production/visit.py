"""What comes from outside, through nginx: a person who signs in, somebody who sends half of what they announced."""

from __future__ import annotations

import re
import socket
import ssl

import httpx

from tests.production.servers import HOST, Failed
from tests.smoke.people import one_time_code

LOGIN, PASSWORD, SECRET = "chief@example.com", "correct horse battery staple", "KEELSONDEMO22222"
# Another address of this machine than nginx' own, so that it can be told who was seen.
VISITOR = "127.0.0.9"
HALF_SENT = 60


def expect(holds: object, words: str) -> None:
    if not holds:
        raise Failed(words)


def browser(port: int) -> httpx.Client:
    return httpx.Client(
        base_url=f"https://127.0.0.1:{port}",
        headers={"Host": HOST, "Origin": f"https://{HOST}", "Referer": f"https://{HOST}/"},
        transport=httpx.HTTPTransport(verify=False, local_address=VISITOR),
        timeout=60,
    )


def sign_in(port: int) -> httpx.Client:
    """The form, the second factor, the first page."""
    client = browser(port)
    answer = _post(client, "/accounts/login/", login=LOGIN, password=PASSWORD)
    expect(answer.headers.get("location", "").startswith("/accounts/2fa/authenticate/"), f"sign-in: {answer}")
    answer = _post(client, "/accounts/2fa/authenticate/", code=one_time_code(SECRET))
    expect(answer.status_code == 302, f"second factor: {answer}")
    answer = client.get("/home/")
    expect(answer.status_code == 200, f"the first page: {answer}")
    session = next(cookie for cookie in client.cookies.jar if cookie.name == "sessionid")
    expect(session.secure, "the session's cookie goes over plain http too")
    return client


def _post(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get(path).text)
    expect(token, f"{path} has no form")
    return client.post(path, data={"csrfmiddlewaretoken": token[1] if token else "", **fields})


def plain_http_is_redirected(port: int) -> None:
    answer = httpx.get(f"http://127.0.0.1:{port}/accounts/login/", headers={"Host": HOST})
    expect(
        (answer.status_code, answer.headers["location"]) == (301, f"https://{HOST}/accounts/login/"), f"http: {answer}"
    )


def live_updates_arrive(client: httpx.Client) -> None:
    with client.stream("GET", "/live/") as answer:
        kind = answer.headers.get("content-type", "")
        expect(answer.status_code == 200 and kind.startswith("text/event-stream"), f"/live/: {answer} {kind}")
        expect(next(answer.iter_bytes()), "/live/ is silent")


def half_sent_requests_stop_nobody(port: int) -> None:
    """More of them than there are threads; while they lie there, pages answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    lying = []
    head = f"POST /accounts/login/ HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5000\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\nlogin="
    try:
        for _number in range(HALF_SENT):
            plain = socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.8", 0))
            lying.append(context.wrap_socket(plain, server_hostname=HOST))
            lying[-1].sendall(head.encode())
        with browser(port) as client:
            expect(client.get("/accounts/login/", timeout=30).status_code == 200, "half-sent requests stop the site")
    finally:
        for connection in lying:
            connection.close()
