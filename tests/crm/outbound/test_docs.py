"""The example of `docs/webhooks.md` does what it says."""

import re
import time
from pathlib import Path

from crm.outside.standard_webhooks import new_secret, signed_headers

PAGE = Path(__file__).parents[3] / "docs" / "webhooks.md"


def test_the_documented_example_verifies_what_we_send():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    known: dict = {}
    exec(code, known)
    secret, other, body, now = new_secret(), new_secret(), b'{"a": 1}', int(time.time())
    headers = signed_headers(body, message_id="msg_1", seconds=now, signing_secrets=[secret, other])
    verified = known["verified"]
    assert verified(secret, headers, body) and verified(other, headers, body)
    assert not verified(new_secret(), headers, body) and not verified(secret, headers, body + b" ")
    old = signed_headers(body, message_id="msg_1", seconds=now - 400, signing_secrets=[secret])
    assert not verified(secret, old, body)
