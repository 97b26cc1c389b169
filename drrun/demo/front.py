"""The gateway's public address: what users reach of the services, by HTTP and other protocols.

Rules:
- A request arrives where the gateway's rules send it, and is answered by what runs there: no rule
  or nothing running is no service, and settings decide whether writes are taken.
"""

import configparser
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Final

from drrun.core.dataclass import dataclass

#: What servers of these protocols say first.
GREETINGS: Final[Mapping[str, bytes]] = {
    "ssh": b"SSH-2.0-demo\r\n",
    "smtp": b"220 mail.sr.ht ESMTP\r\n",
    "irc": b":chat.sr.ht NOTICE * :hello\r\n",
}


def greet(line: socket.socket, protocol: str) -> None:
    """Say hello, and goodbye."""
    with suppress(OSError), line:
        line.sendall(GREETINGS[protocol])


def answer(line: socket.socket, hosts: Path) -> None:
    """Answer one HTTP connection, in a thread of its own."""
    threading.Thread(target=_answer, args=(line, hosts), daemon=True).start()


def _answer(line: socket.socket, hosts: Path) -> None:
    with suppress(OSError, ValueError), line:
        line.settimeout(10)
        _Request(line, ("127.0.0.1", 0), hosts)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A service that runs: its settings, and where what users write goes."""

    level: str
    notice: str
    written: Path


def _unit(hosts: Path, name: str) -> _Unit | None:
    place = _place_of(hosts, name)
    file = hosts / place / "run/units" / f"{name}.sr.ht"
    if not place or not file.is_file():
        return None
    settings = configparser.ConfigParser(interpolation=None)
    settings.read_string(file.read_text("utf-8"))
    found = settings["service"]
    return _Unit(found["level"], found.get("notice", ""), hosts / place / "srv/written")


def _place_of(hosts: Path, name: str) -> str:
    """The host to which the gateway sends requests for a service; "" if it does not."""
    with suppress(OSError):
        if "dnat" in (hosts / "gw.ovh/run/nft/nat").read_text("utf-8"):
            places = (hosts.parent / "places").read_text("utf-8")
            return dict(line.split() for line in places.splitlines()).get(name, "")
    return ""


class _Request(BaseHTTPRequestHandler):
    """One request to one service."""

    def __init__(self, line: socket.socket, address: tuple[str, int], hosts: Path) -> None:
        self._hosts = hosts
        # The base class wants a server and asks it for nothing.
        super().__init__(line, address, None)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """A page with the level and the notice."""
        name = self._name()
        unit = _unit(self._hosts, name)
        if unit is None:
            self._say(503, f"{name}.sr.ht is not in service")
        else:
            self._say(200, f"{name}.sr.ht {unit.level}\n{unit.notice}")

    def do_POST(self) -> None:
        """A write: kept, or refused with the notice."""
        name = self._name()
        unit = _unit(self._hosts, name)
        if unit is None:
            self._say(503, f"{name}.sr.ht is not in service")
        elif unit.level in ("read-write", "degraded"):
            unit.written.parent.mkdir(exist_ok=True)
            with unit.written.open("a", encoding="utf-8") as file:
                file.write(f"{name}\n")
            self._say(201, "kept")
        else:
            self._say(403, f"{name}.sr.ht is {unit.level}: {unit.notice}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing is logged."""

    def _name(self) -> str:
        return self.headers.get("Host", "").partition(":")[0].partition(".")[0]

    def _say(self, status: int, text: str) -> None:
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
