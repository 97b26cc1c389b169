"""A webhook on a host: keeps every body that it is sent."""

import json
from typing import Any

from tests.lab.host import LabHost
from tests.lab.services.site import PYTHON

_PROGRAM = """\
from http.server import BaseHTTPRequestHandler, HTTPServer


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open("/srv/told", "ab") as told:
            told.write(body + b"\\n")
        self.send_response(204)
        self.end_headers()


HTTPServer(("", 8080), Hook).serve_forever()
"""


def hook(host: LabHost) -> str:
    """Start it; its URL, by address."""
    host.write("/srv/told", "")
    host.write("/srv/hook.py", _PROGRAM)
    host.service("hook", f"{PYTHON} /srv/hook.py", ready="curl -s -o /dev/null 127.0.0.1:8080")
    return f"http://{host.address}:8080/"


def told(host: LabHost) -> list[dict[str, Any]]:
    """Everything that it was told."""
    return [json.loads(line) for line in host.read("/srv/told").splitlines()]
