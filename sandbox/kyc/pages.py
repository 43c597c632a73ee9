"""The page where a client goes on: choose a document, send pictures, and, this being a sandbox, choose what the review says."""

from email import message_from_bytes
from email.message import Message
from html import escape
from typing import Any

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#eef1f5;color:#1a2233}
main{max-width:26rem;margin:2rem auto;background:#fff;border-radius:12px;padding:1.25rem;box-shadow:0 1px 4px #0002}
label{display:block;margin:.9rem 0 .25rem;font-weight:600}small{color:#5a6478}
select,input{width:100%;box-sizing:border-box;font:inherit;padding:.5rem;min-height:44px}
button{margin-top:1.25rem;width:100%;min-height:48px;font:inherit;font-weight:600;border:0;border-radius:8px}
button{background:#1b5cff;color:#fff}
"""
OUTCOMES = (
    ("green", "Approved"),
    ("retry", "Rejected, to be repeated: blurred"),
    ("final", "Rejected for good: forgery"),
    ("hold", "On hold"),
)
RESULTS: dict[str, dict[str, Any]] = {
    "green": {"reviewAnswer": "GREEN"},
    "retry": {
        "reviewAnswer": "RED",
        "reviewRejectType": "RETRY",
        "rejectLabels": ["UNSATISFACTORY_PHOTOS"],
        "moderationComment": "The picture is blurred.",
        "clientComment": "Low quality",
    },
    "final": {
        "reviewAnswer": "RED",
        "reviewRejectType": "FINAL",
        "rejectLabels": ["FORGERY"],
        "moderationComment": "We could not verify your profile.",
        "clientComment": "Signs of digital editing",
    },
    "hold": {"hold": True},
}
FILES = (
    ("front", "Document, front"),
    ("back", "Document, back (cards)"),
    ("selfie", "Selfie"),
    ("bill", "Proof of address"),
)
TYPES = (
    ("PASSPORT", "Passport"),
    ("ID_CARD", "Identity card"),
    ("DRIVERS", "Driving licence"),
    ("RESIDENCE_PERMIT", "Residence permit"),
)


def form_page(name: str) -> str:
    """Write the form."""
    options = "".join(f'<option value="{value}">{label}</option>' for value, label in TYPES)
    outcomes = "".join(f'<option value="{value}">{label}</option>' for value, label in OUTCOMES)
    files = "".join(
        f'<label for="{field}">{label}</label><input type="file" id="{field}" name="{field}" accept="image/*,application/pdf">'
        for field, label in FILES
    )
    return _page(
        f"<h1>Verify your identity</h1><p>{escape(name)}</p><form method='post' enctype='multipart/form-data'>"
        f'<label for="type">Document</label><select id="type" name="type">{options}</select>{files}'
        f'<label for="outcome">What the review will say</label><select id="outcome" name="outcome">{outcomes}</select>'
        "<button>Submit</button></form>"
    )


def message_page(text: str) -> str:
    """Write a page with one sentence."""
    return _page(f"<h1>Verification</h1><p>{escape(text)}</p>")


def _page(inner: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,'
        f' initial-scale=1"><title>KYC sandbox</title><style>{STYLE}</style></head><body><main>{inner}'
        "<p><small>Sandbox: nobody looks at what you send.</small></p></main></body></html>"
    )


def read_form(content_type: str, body: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """Read a multipart form: its fields, and the files that aren't empty."""
    message: Message = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for part in message.get_payload() if message.is_multipart() else []:
        assert isinstance(part, Message)
        name = str(part.get_param("name", "", header="content-disposition"))
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if part.get_filename() is None:
            fields[name] = content.decode("utf-8", "replace").strip()
        elif content:
            files[name] = content
    return fields, files
