"""An object store that speaks S3: moto's server on a host's network, asked with rclone.

Rules:
- The server is a process of the machine at the host's place in the network, because a host need
  not see the environment that the tests run in. It ends with the lab.
- What is in it before it serves is put there without HTTP; all that comes later goes over it.
"""

import re
import sys
from collections.abc import Mapping

from tests.lab.host import LabHost
from tests.lab.namespaces import LabBroken, enter, start, until

PORT = 9000
#: The store of the host where this is asked, and what curl says to be let in.
URL = f"http://127.0.0.1:{PORT}/"
ASK = "-H 'Authorization: AWS lab:lab'"
_OBJECT = re.compile(r"<Key>(.*?)</Key>.*?<ETag>(.*?)</ETag>", re.DOTALL)
#: Reads objects as `KEY VALUE` lines, then serves. argv: bucket, port.
_SERVER = """
import sys

from moto.s3.models import s3_backends
from moto.server import main

bucket, port = sys.argv[1:]
store = s3_backends["123456789012"]["aws"]
store.create_bucket(bucket, "us-east-1")
for line in sys.stdin:
    key, value = line.rstrip("\\n").split(" ", 1)
    store.put_object(bucket, key, f"{value}\\n".encode())
main(["-H", "0.0.0.0", "-p", port])
"""
_REMOTE = """\
[{name}]
type = s3
provider = Other
endpoint = http://{address}:{port}
access_key_id = lab
secret_access_key = lab
region = us-east-1
force_path_style = true
"""


def store(host: LabHost, bucket: str, objects: Mapping[str, str]) -> None:
    """Serve a bucket with these objects; the value of each is a line."""
    # Its log would fill a pipe that nobody reads.
    quiet = ["sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh"]
    command = [sys.executable, "-c", _SERVER, bucket, str(PORT)]
    process = start([*enter(host.pid, "net"), *quiet, *command])
    host.begun.append(process)
    assert process.stdin
    process.stdin.writelines(f"{key} {value}\n" for key, value in objects.items())
    process.stdin.close()


def remotes(host: LabHost, stores: Mapping[str, str]) -> None:
    """Let root's rclone know stores by name; the values are their addresses."""
    known = "".join(
        _REMOTE.format(name=name, address=address, port=PORT) for name, address in stores.items()
    )
    host.write("/root/.config/rclone/rclone.conf", known, mode=0o600)


def wait_for(host: LabHost, bucket: str) -> None:
    """Wait until the host's own store serves."""
    asked = f"curl -s -o /dev/null {ASK} {URL}{bucket}"
    if not until(lambda: host.run(asked).ok, 60):
        raise LabBroken(f"{host.name}: the object store does not serve")


def listed(host: LabHost, bucket: str) -> dict[str, str]:
    """Key -> MD5 of every object in the host's own store."""
    found: dict[str, str] = {}
    while True:
        after = list(found)[-1] if found else ""
        page = host.must(f"curl -sf {ASK} '{URL}{bucket}?list-type=2&start-after={after}'")
        pairs = _OBJECT.findall(page)
        if not pairs:
            return found
        found |= dict(pairs)
