"""SourceHut's services in a lab: what a forge's hosts run, before and after the migration.

Rules:
- Every service is a small program of its own that reads its settings when it starts, behind nginx
  with TLS; git is also served by SSH and by git-http-backend, as the real one.
- A lab has no init system: `systemctl` starts and stops services of the lab.
"""

from collections.abc import Mapping

from tests.lab.host import LabHost
from tests.lab.services.site import PYTHON

#: Service -> (host, port).
UNITS: Mapping[str, tuple[str, int]] = {
    **{
        name: ("web1.ams", 8001 + number)
        for number, name in enumerate(("meta", "todo", "lists", "paste", "hub", "builds"))
    },
    "git": ("git1.ams", 8000),
    "hg": ("hg1.ams", 8000),
    "pages": ("s3.ams", 8000),
    "chat": ("chat1.ams", 8000),
}
_SYSTEMCTL = """\
#!/bin/sh
# No init system here: units are services of the lab.
case $1 in
start | stop | restart) exec service "$2" "$1" ;;
is-active) service "$2" status >/dev/null 2>&1 && echo active || { echo inactive; exit 3; } ;;
*) exit 1 ;;
esac
"""
#: NAME PORT; says its level, takes writes or refuses them with its notice, serves /srv/pages.
_UNIT = """\
import configparser
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

name, port = sys.argv[1], int(sys.argv[2])
settings = configparser.ConfigParser(interpolation=None)
settings.read(f"/etc/sr.ht/{name}.ini")
service = settings["service"] if settings.has_section("service") else {"level": "read-write"}
level, notice = service.get("level"), service.get("notice", "")
pages = Path("/srv/pages")


class Unit(BaseHTTPRequestHandler):
    def do_GET(self):
        file = (pages / self.path.lstrip("/")).resolve()
        if name == "pages" and file.is_file() and file.is_relative_to(pages):
            self.say(200, file.read_bytes())
        else:
            self.say(200, f"{name}.sr.ht {level}\\n{notice}\\n".encode())

    def do_POST(self):
        if level in ("read-write", "degraded"):
            self.say(201, b"kept\\n")
        else:
            self.say(403, f"{name}.sr.ht is {level}: {notice}\\n".encode())

    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("", port), Unit).serve_forever()
"""
_GREETER = """\
import socketserver
import sys

text = sys.argv[2].encode() + b"\\r\\n"


class Greeter(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(text)


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("", int(sys.argv[1])), Greeter).serve_forever()
"""
_FRONT = """\
user root;
worker_processes 1;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events {{ worker_connections 256; }}
http {{
  access_log /var/log/nginx/access.log;
  ssl_certificate /etc/sr.ht.pem;
  ssl_certificate_key /etc/sr.ht.key;
{servers}}}
"""
_SERVER = """\
  server {{
    listen 443 ssl;
    server_name {name}.sr.ht;
    location / {{ proxy_pass http://{host}:{port}; proxy_set_header Host $host; }}
{more}  }}
"""
#: Repositories by smart HTTP, below /git; pushes go through the hooks, as by SSH.
_GIT = """\
user root;
worker_processes 1;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events { worker_connections 256; }
http {
  access_log off;
  server {
    listen 80;
    location ~ ^/git(/.*)$ {
      client_max_body_size 0;
      fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
      fastcgi_param GIT_PROJECT_ROOT /srv/git;
      fastcgi_param GIT_HTTP_EXPORT_ALL "1";
      fastcgi_param PATH_INFO $1;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_USER somebody;
      fastcgi_pass unix:/run/git-http.sock;
    }
  }
}
"""


def unit(host: LabHost, name: str, port: int) -> None:
    """Let a host have a service, which nobody has started yet."""
    host.write("/usr/local/sbin/systemctl", _SYSTEMCTL, mode=0o755)
    host.write("/srv/unit.py", _UNIT)
    host.write(
        f"/etc/lab/services/{name}.sr.ht",
        f"#!/bin/sh\n# stop: TERM\nexec {PYTHON} /srv/unit.py {name} {port}\n",
    )


def greeter(host: LabHost, name: str, port: int, text: str) -> None:
    """Let a host say hello as SMTP and IRC servers do."""
    host.write("/srv/greeter.py", _GREETER)
    host.service(name, f"{PYTHON} /srv/greeter.py {port} '{text}'")


def front(host: LabHost) -> str:
    """The web server of all services, with TLS; its certificate."""
    host.must(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=*.sr.ht'"
        " -addext 'subjectAltName=DNS:*.sr.ht' -keyout /etc/sr.ht.key -out /etc/sr.ht.pem"
    )
    by_http = "    location /git/ { proxy_pass http://git1.ams:80; }\n"
    servers = "".join(
        _SERVER.format(name=name, host=at, port=port, more=by_http if name == "git" else "")
        for name, (at, port) in UNITS.items()
    )
    host.write("/etc/sr.ht.nginx", _FRONT.format(servers=servers))
    host.service("nginx", "nginx -c /etc/sr.ht.nginx -g 'daemon off;'")
    return host.read("/etc/sr.ht.pem")


def git_by_http(host: LabHost) -> None:
    """Serve what is in /srv/git by smart HTTP."""
    host.write("/etc/git.nginx", _GIT)
    host.must("git config --system --add safe.directory '*'")
    host.must("git config --system http.receivepack true")
    host.service(
        "git-http",
        "sh -c 'rm -f /run/git-http.sock; umask 0; exec fcgiwrap -c 2 -s unix:/run/git-http.sock'",
    )
    host.must("until [ -S /run/git-http.sock ]; do sleep 0.05; done; chmod 666 /run/git-http.sock")
    host.service("nginx", "nginx -c /etc/git.nginx -g 'daemon off;'")
