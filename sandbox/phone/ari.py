"""The exchange as an Asterisk: its REST interface for channels, bridges and recordings, and its events over a WebSocket.

Calls live as on the other side of the sandbox: a number's plan says what it does, and the faults `drop`, `duplicate`, `late` and
`hold` are played on events as on callbacks; `cut_socket` ends the connection for events. Who joins a bridge last hangs up after the
talk. Every request and event is written down, for tests that compare them with Asterisk's own description.
"""

import base64
import hashlib
import json
import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.phone.sound import tone

if TYPE_CHECKING:
    from sandbox.phone.exchange import Exchange

USER, PASSWORD, APPLICATION, TRUNK = "keelson", "keelson-sandbox-ari", "keelson", "sandbox-trunk"
CAUSES = {"busy": 17, "no-answer": 19, "failed": 34, "answer": 16}
CAUSE_NAMES = {16: "Normal Clearing", 17: "User busy", 19: "User alerting, no answer", 34: "Circuit/channel congestion"}
SOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455
ROUTES = [
    (method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), name)
    for method, path, name in [
        ("GET", "/asterisk/info", "info"),
        ("GET", "/applications/{applicationName}", "application"),
        ("GET", "/channels", "list_channels"),
        ("POST", "/channels", "originate"),
        ("GET", "/channels/{channelId}", "channel"),
        ("DELETE", "/channels/{channelId}", "hang_up"),
        ("POST", "/channels/{channelId}/ring", "ring"),
        ("POST", "/channels/{channelId}/answer", "answer"),
        ("POST", "/channels/{channelId}/record", "record_channel"),
        ("POST", "/channels/{channelId}/hold", "hold"),
        ("DELETE", "/channels/{channelId}/hold", "unhold"),
        ("GET", "/bridges/{bridgeId}", "bridge"),
        ("POST", "/bridges/{bridgeId}", "make_bridge"),
        ("DELETE", "/bridges/{bridgeId}", "drop_bridge"),
        ("POST", "/bridges/{bridgeId}/addChannel", "add_channel"),
        ("POST", "/bridges/{bridgeId}/record", "record_bridge"),
        ("GET", "/recordings/live/{recordingName}", "live_recording"),
        ("GET", "/recordings/stored/{recordingName}", "stored_recording"),
        ("GET", "/recordings/stored/{recordingName}/file", "recording_file"),
    ]
]


class AriError(Exception):
    """An answer that refuses."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def stamp(at: float | None = None) -> str:
    """Write a time as Asterisk does."""
    moment = datetime.fromtimestamp(at or time.time(), UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


@dataclass
class Channel:
    """One channel, as the interface shows it."""

    id: str
    number: str
    caller: str
    exten: str
    state: str = "Down"
    is_in_stasis: bool = False
    made: float = field(default_factory=time.time)
    hang_up: threading.Event = field(default_factory=threading.Event)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "protocol_id": secrets.token_hex(8),
            "name": f"PJSIP/{self.number}-{self.id[-4:]}",
            "state": self.state,
            "caller": {"name": "", "number": self.caller},
            "connected": {"name": "", "number": ""},
            "accountcode": "",
            "dialplan": {
                "context": "from-trunk",
                "exten": self.exten,
                "priority": 1,
                "app_name": "Stasis" if self.is_in_stasis else "AppDial2",
                "app_data": APPLICATION if self.is_in_stasis else "(Outgoing Line)",
            },
            "creationtime": stamp(self.made),
            "language": "en",
        }


@dataclass
class Recorded:
    name: str
    target: str
    began: float = field(default_factory=time.time)
    seconds: int | None = None

    def as_json(self) -> dict[str, Any]:
        state = "recording" if self.seconds is None else "done"
        row = {"name": self.name, "format": "wav", "target_uri": self.target, "state": state}
        return row if self.seconds is None else {**row, "duration": self.seconds}


class Asterisk:
    """All channels, bridges and recordings, and who listens."""

    def __init__(self, exchange: "Exchange") -> None:
        self.exchange = exchange
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, list[str]] = {}
        self.recordings: dict[str, Recorded] = {}
        self.sockets: list[Socket] = []
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.sent: list[dict[str, Any]] = []
        self.dialled: list[tuple[str, str]] = []
        self.lock = threading.RLock()

    # ── requests ──
    def answer(self, method: str, path: str, query: dict[str, str]) -> Any:
        """Answer a request: an object, bytes, or None for nothing. Raises: AriError."""
        self.asked.append((method, path, query))
        for wanted, pattern, name in ROUTES:
            match = pattern.fullmatch(path)
            if match and method == wanted:
                return getattr(self, f"do_{name}")(query, *match.groups())
        raise AriError(404, "Resource not found")

    def do_info(self, _query: dict[str, str]) -> Any:
        return {"system": {"version": "23.4.1", "entity_id": "5a:5a:5a:5a:5a:5a"}}

    def do_application(self, _query: dict[str, str], name: str) -> Any:
        if name != APPLICATION or not self.sockets:
            raise AriError(404, "Application not found")
        ids = [channel.id for channel in self.channels.values()]
        kinds: dict[str, list[Any]] = {"endpoint_ids": [], "device_names": [], "events_allowed": []}
        return {"name": name, "channel_ids": ids, "bridge_ids": list(self.bridges), "events_disallowed": [], **kinds}

    def do_list_channels(self, _query: dict[str, str]) -> Any:
        return [channel.as_json() for channel in self.channels.values()]

    def _channel(self, channel_id: str) -> Channel:
        if channel_id not in self.channels:
            raise AriError(404, "Channel not found")
        return self.channels[channel_id]

    def do_channel(self, _query: dict[str, str], channel_id: str) -> Any:
        return self._channel(channel_id).as_json()

    def do_originate(self, query: dict[str, str]) -> Any:
        match = re.fullmatch(r"PJSIP/([^@/]+)(@.+)?", query.get("endpoint", ""))
        if match is None or not query.get("app"):
            raise AriError(400, "Invalid endpoint specified")
        if query["endpoint"].endswith("/nonsense"):
            raise AriError(500, "Allocation failed")
        with self.lock:
            channel_id = query.get("channelId") or f"{time.time():.2f}"
            if channel_id in self.channels:
                raise AriError(409, "Channel with given unique ID already exists")
            channel = Channel(channel_id, match[1], match[1], query.get("extension", "s"))
            self.channels[channel_id] = channel
            self.dialled.append((channel_id, match[1]))
        arguments = [one for one in query.get("appArgs", "").split(",") if one]
        threading.Thread(target=self._ring, args=(channel, arguments), daemon=True).start()
        return channel.as_json()

    def do_hang_up(self, _query: dict[str, str], channel_id: str) -> None:
        channel = self._channel(channel_id)
        channel.hang_up.set()
        self._destroy(channel, 16)

    def do_ring(self, _query: dict[str, str], channel_id: str) -> None:
        self._channel(channel_id)

    def do_answer(self, _query: dict[str, str], channel_id: str) -> None:
        channel = self._channel(channel_id)
        if channel.state != "Up":
            channel.state = "Up"
            self._tell("ChannelStateChange", channel=channel.as_json())

    def do_hold(self, _query: dict[str, str], channel_id: str) -> None:
        self._tell("ChannelHold", channel=self._channel(channel_id).as_json())

    def do_unhold(self, _query: dict[str, str], channel_id: str) -> None:
        self._tell("ChannelUnhold", channel=self._channel(channel_id).as_json())

    def do_bridge(self, _query: dict[str, str], bridge_id: str) -> Any:
        if bridge_id not in self.bridges:
            raise AriError(404, "Bridge not found")
        return self._bridge_json(bridge_id)

    def do_make_bridge(self, _query: dict[str, str], bridge_id: str) -> Any:
        if bridge_id in self.bridges:
            raise AriError(409, f"Bridge with id '{bridge_id}' already exists")
        self.bridges[bridge_id] = []
        return self._bridge_json(bridge_id)

    def do_drop_bridge(self, _query: dict[str, str], bridge_id: str) -> None:
        if self.bridges.pop(bridge_id, None) is None:
            raise AriError(404, "Bridge not found")
        self._finish(f"bridge:{bridge_id}")

    def _bridge_json(self, bridge_id: str) -> dict[str, Any]:
        kind = {"technology": "simple_bridge", "bridge_type": "mixing", "bridge_class": "stasis", "creator": "Stasis"}
        more = {"name": bridge_id, "channels": self.bridges[bridge_id], "creationtime": stamp()}
        return {"id": bridge_id, **kind, **more}

    def do_add_channel(self, query: dict[str, str], bridge_id: str) -> None:
        if bridge_id not in self.bridges:
            raise AriError(404, "Bridge not found")
        channel = self.channels.get(query.get("channel", ""))
        if channel is None:
            raise AriError(400, "Channel not found")
        if not channel.is_in_stasis:
            raise AriError(422, "Channel not in Stasis application")
        members = self.bridges[bridge_id]
        if channel.id not in members:
            members.append(channel.id)
            if len(members) == 2:
                threading.Thread(target=self._talk, args=(channel,), daemon=True).start()

    def do_record_channel(self, query: dict[str, str], channel_id: str) -> Any:
        self._channel(channel_id)
        recorded = self._record(query, f"channel:{channel_id}")
        threading.Timer(self.exchange.pace.talk, self._finish, (recorded.target,)).start()
        return recorded.as_json()

    def do_record_bridge(self, query: dict[str, str], bridge_id: str) -> Any:
        return self._record(query, f"bridge:{bridge_id}").as_json()

    def _record(self, query: dict[str, str], target: str) -> Recorded:
        name = query.get("name", "")
        if not name or query.get("format") != "wav":
            raise AriError(422, "Format not supported")
        if name in self.recordings and query.get("ifExists", "fail") == "fail":
            raise AriError(409, f"Recording '{name}' already exists and can not be overwritten")
        self.recordings[name] = Recorded(name, target)
        return self.recordings[name]

    def do_live_recording(self, _query: dict[str, str], name: str) -> Any:
        recorded = self.recordings.get(name)
        if recorded is None or recorded.seconds is not None:
            raise AriError(404, "Recording not found")
        return recorded.as_json()

    def _stored(self, name: str) -> Recorded:
        recorded = self.recordings.get(name)
        if recorded is None or recorded.seconds is None:
            raise AriError(404, "Recording not found")
        return recorded

    def do_stored_recording(self, _query: dict[str, str], name: str) -> Any:
        self._stored(name)
        return {"name": name, "format": "wav"}

    def do_recording_file(self, _query: dict[str, str], name: str) -> Any:
        return tone(max(self._stored(name).seconds or 1, 1))

    # ── how a channel lives ──
    def _ring(self, channel: Channel, arguments: list[str]) -> None:
        pace, plan = self.exchange.pace, self.exchange.plan_of(channel.number)
        self._tell("ChannelCreated", channel=channel.as_json())
        if plan == "failed":
            self._destroy(channel, CAUSES[plan])
            return
        self._state(channel, "Ringing")
        if channel.hang_up.wait(pace.wait if plan == "no-answer" else pace.ring):
            return
        if plan != "answer":
            self._destroy(channel, CAUSES[plan])
            return
        self._state(channel, "Up")
        self._enter(channel, arguments)

    def ring_in(self, *, from_: str, to: str) -> Channel:
        """Let somebody ring our number."""
        channel = Channel(f"{time.time():.6f}", from_, from_, to, "Ring")
        self.channels[channel.id] = channel
        self._enter(channel, [])
        return channel

    def _enter(self, channel: Channel, arguments: list[str]) -> None:
        """Enter the application, which ends a call where nobody listens to it."""
        if not self.sockets:
            self._destroy(channel, 16)
            return
        channel.is_in_stasis = True
        self._tell("StasisStart", args=arguments, channel=channel.as_json())

    def _state(self, channel: Channel, state: str) -> None:
        channel.state = state
        self._tell("ChannelStateChange", channel=channel.as_json())

    def _talk(self, channel: Channel) -> None:
        if not channel.hang_up.wait(self.exchange.pace.talk):
            self._destroy(channel, 16)

    def _destroy(self, channel: Channel, cause: int) -> None:
        with self.lock:
            if self.channels.pop(channel.id, None) is None:
                return
        channel.hang_up.set()
        for bridge_id, members in list(self.bridges.items()):
            if channel.id in members:
                self._finish(f"bridge:{bridge_id}")
        self._finish(f"channel:{channel.id}")
        self._tell("ChannelDestroyed", cause=cause, cause_txt=CAUSE_NAMES[cause], channel=channel.as_json())

    def _finish(self, target: str) -> None:
        for recorded in list(self.recordings.values()):
            if recorded.target == target and recorded.seconds is None:
                recorded.seconds = max(1, round(time.time() - recorded.began))
                self._tell("RecordingFinished", recording=recorded.as_json())

    # ── events ──
    def _tell(self, kind: str, **fields: Any) -> None:
        event = {"type": kind, "application": APPLICATION, "timestamp": stamp(), "asterisk_id": "5a:5a", **fields}
        self.sent.append(event)
        if self.exchange.spend("cut_socket"):
            for one in list(self.sockets):
                one.cut()
            return
        if self.exchange.spend("drop"):
            return
        for _ in range(1 + int(self.exchange.spend("duplicate") or 0)):
            if self.exchange.faults.get("hold"):
                self.exchange.held.append(lambda: self._send(event))
                continue
            wait = float(self.exchange.spend("late") or 0)
            if wait:
                threading.Timer(wait, self._send, (event,)).start()
            else:
                self._send(event)

    def _send(self, event: dict[str, Any]) -> None:
        for one in list(self.sockets):
            one.send(json.dumps(event).encode())


class Socket:
    """A WebSocket of RFC 6455 on the server's side: it sends texts, and answers pings until the other side closes."""

    def __init__(self, asterisk: Asterisk, handler: Any) -> None:
        self.asterisk, self.handler = asterisk, handler
        self.lock = threading.Lock()

    def serve(self) -> None:
        """Shake hands, and hold the connection."""
        key = self.handler.headers.get("Sec-WebSocket-Key", "")
        digest = hashlib.sha1(f"{key}{SOCKET_GUID}".encode(), usedforsecurity=False).digest()
        accept = base64.b64encode(digest).decode()
        self.handler.send_response(101, "Switching Protocols")
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)):
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.flush()
        self.handler.close_connection = True
        self.asterisk.sockets.append(self)
        try:
            while self._frame():
                pass
        except (OSError, ValueError):
            pass
        finally:
            self.gone()

    def _frame(self) -> bool:
        head = self.handler.rfile.read(2)
        if len(head) < 2:
            return False
        opcode, length = head[0] & 0x0F, head[1] & 0x7F
        if length > 125:
            raise ValueError("a client only sends control frames here")
        mask = self.handler.rfile.read(4)
        content = bytes(byte ^ mask[place % 4] for place, byte in enumerate(self.handler.rfile.read(length)))
        if opcode == 0x9:
            self.send(content, opcode=0xA)
        if opcode == 0x8:
            self.send(content, opcode=0x8)
        return bool(opcode != 0x8)

    def send(self, content: bytes, opcode: int = 0x1) -> None:
        size = len(content)
        length = bytes([size]) if size < 126 else bytes([126]) + size.to_bytes(2, "big")
        try:
            with self.lock:
                self.handler.wfile.write(bytes([0x80 | opcode]) + length + content)
        except (OSError, ValueError):
            self.gone()

    def cut(self) -> None:
        """End the connection without a word."""
        self.gone()
        self.handler._cut()

    def gone(self) -> None:
        if self in self.asterisk.sockets:
            self.asterisk.sockets.remove(self)
