"""A web site with a database: nginx in front, a small program behind it, rows in PostgreSQL.

Rules:
- As the switchover's front ends are: writes are refused with the text of /run/site/read-only while
  that file exists; the database is the one that /etc/site/database names.
"""

import json
from dataclasses import dataclass

from tests.lab.host import LabHost

TABLE = "CREATE TABLE rows (id text PRIMARY KEY); GRANT ALL ON rows TO site;"
_NGINX = """\
user root;
worker_processes 1;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events { worker_connections 256; }
http {
  access_log /var/log/nginx/access.log;
  server {
    listen 80;
    listen [::]:80;
    error_page 503 /read-only-notice;
    location / {
      set $no "";
      if (-f /run/site/read-only) { set $no "f"; }
      if ($request_method !~ ^(GET|HEAD)$) { set $no "${no}w"; }
      if ($no = fw) { return 503; }
      proxy_pass http://127.0.0.1:8000;
    }
    location = /read-only-notice {
      internal;
      default_type text/plain;
      alias /run/site/read-only;
    }
  }
}
"""
#: Runs with Debian's Python; a row a POST, by psql so that nothing else is needed.
_PROGRAM = """\
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Rows(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        self.say(200, "the site")

    def do_POST(self):
        row = self.rfile.read(int(self.headers["Content-Length"])).decode()
        database = Path("/etc/site/database").read_text().strip()
        done = subprocess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-v", f"row={row}", "-U", "site", "-d",
             f"host={database} dbname=postgres connect_timeout=2"],
            input="INSERT INTO rows VALUES (:'row')", capture_output=True, text=True,
        )
        self.say(201 if done.returncode == 0 else 502, done.stderr or row)

    def say(self, status, text):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())


ThreadingHTTPServer(("127.0.0.1", 8000), Rows).serve_forever()
"""
#: Writes a row every quarter of a second, and notes what it was told, when.
_CLIENT = """\
import json
import sys
import time
import urllib.error
import urllib.request

number = 0
while True:
    number += 1
    sent = time.time()
    try:
        request = urllib.request.Request(sys.argv[1], data=f"row-{number}".encode())
        with urllib.request.urlopen(request, timeout=5) as answer:
            told, text = answer.status, ""
    except urllib.error.HTTPError as error:
        told, text = error.code, error.read().decode()
    except OSError as error:
        told, text = 0, str(error)
    print(json.dumps([number, sent, time.time(), told, text]), flush=True)
    time.sleep(max(0, sent + 0.25 - time.time()))
"""
PYTHON = "/usr/bin/python3"


def front(host: LabHost, database: LabHost) -> None:
    """Put the site on a host."""
    host.write("/etc/site/database", f"{database.name}\n")
    host.write("/etc/site/warm-urls", "http://127.0.0.1/\n")
    host.write("/etc/site/nginx.conf", _NGINX)
    host.write("/srv/site/program.py", _PROGRAM)
    host.must(["mkdir", "-p", "/run/site"])
    host.service("site", f"{PYTHON} /srv/site/program.py")
    host.service(
        "nginx",
        "nginx -c /etc/site/nginx.conf -g 'daemon off;'",
        ready="curl -fs -o /dev/null http://127.0.0.1/",
    )


@dataclass(frozen=True)
class Write:
    """One write of the client, as it saw it."""

    row: str
    sent: float
    answered: float
    #: HTTP status, 0 for none.
    told: int
    text: str


@dataclass(frozen=True)
class Client:
    """Somebody who writes all the time."""

    host: LabHost

    def begin(self, url: str) -> None:
        """Write to a URL from now on."""
        self.host.write("/srv/client.py", _CLIENT)
        self.host.service("client", f"{PYTHON} /srv/client.py {url}")

    def end(self) -> list[Write]:
        """Stop; every write so far."""
        self.host.must("service client stop")
        return self.writes()

    def writes(self) -> list[Write]:
        """Every write so far."""
        lines = self.host.must("cat /var/log/client.log").splitlines()
        return [
            Write(f"row-{number}", sent, answered, told, text)
            for number, sent, answered, told, text in map(json.loads, lines)
        ]
