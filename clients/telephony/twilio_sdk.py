"""Twilio's SDK over our own HTTP. The adapters import it when they are made: it brings an HTTP library of its own, slow to load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from clients.telephony.audio import basic
from crm.connections.http import Line


class Transport(HttpClient):
    """The SDK's plug for HTTP: our own bounds and errors, which pass through the SDK as they are."""

    def __init__(self, line: Line, address: str, api: str) -> None:
        self.line, self.address, self.api = line, address, api

    def request(  # noqa: PLR0913  the SDK's own signature
        self,
        method: str,
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        url = self.address + uri.removeprefix(self.api)
        if params:
            url += "?" + urlencode(params, doseq=True)
        sent = dict(headers or {})
        if auth is not None:
            sent |= basic(*auth)
        content = urlencode(data, doseq=True).encode() if data else b""
        answer = self.line.send(method.upper(), url, headers=sent, content=content)
        return Response(answer.status_code, answer.text, answer.headers)


def client_over(line: Line, address: str, *, api: str, account: str, token: str) -> Client:
    """Make the SDK's client, which asks `address` for what the SDK asks `api` for."""
    # An empty environment: the SDK would take other keys and another region from ours.
    return Client(account or "-", token or "-", http_client=Transport(line, address, api), environment={"-": ""})
