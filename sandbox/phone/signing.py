"""How the exchange signs its callbacks: HMAC-SHA1 over the URL and the sorted parameters, as Twilio documents it.

Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping


def sign(url: str, fields: Mapping[str, str], token: str) -> str:
    """Sign a callback."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
