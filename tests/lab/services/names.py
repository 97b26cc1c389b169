"""Knot as authoritative name servers: a primary that takes signed updates, and a secondary."""

import base64
from collections.abc import Mapping

from tests.lab.host import LabHost

KEY_NAME = "drrun"
SECRET = base64.b64encode(b"the key of all labs, 32 bytes...").decode()
#: As `dns.update` and knsupdate want it.
KEY = f"hmac-sha256:{KEY_NAME}:{SECRET}"
_CONFIG = """\
server:
    rundir: /run/knot
    listen: 0.0.0.0@53
    user: root
database:
    storage: /srv/names
log:
  - target: syslog
    any: info
  - target: stderr
    any: info
key:
  - id: {key}
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: update
    key: {key}
    action: [update, transfer]
  - id: transfer
    address: {others}
    action: [transfer, notify]
remote:
{remotes}
template:
  - id: default
    storage: /srv/names
    file: "%s.zone"
    zonefile-sync: 0
    zonefile-load: difference-no-serial
    journal-content: all
    serial-policy: increment
    acl: [update, transfer]
    {role}
zone:
{zones}
"""


def primary(host: LabHost, secondary: LabHost, zones: Mapping[str, str]) -> None:
    """Serve zones; each text is its records, without SOA and NS."""
    for zone, records in zones.items():
        head = (
            f"$ORIGIN {zone}.\n$TTL 60\n"
            "@ SOA ns1 hostmaster 1 3600 5 86400 1\n@ NS ns1\n@ NS ns2\n"
            f"ns1 A {host.address}\nns2 A {secondary.address}\n"
        )
        host.write(f"/srv/names/{zone}.zone", f"{head}{records}\n")
    _serve(host, secondary, zones, "notify: other")


def primary_by_file(host: LabHost, secondary: LabHost, zone: str, path: str, records: str) -> None:
    """Serve one zone as people edit it: a file, and `knotc zone-reload`."""
    head = (
        f"$ORIGIN {zone}.\n@ 3600 IN SOA ns1 hostmaster 1 3600 5 86400 1\n"
        f"@ 3600 IN NS ns1\n@ 3600 IN NS ns2\n"
        f"ns1 3600 IN A {host.address}\nns2 3600 IN A {secondary.address}\n"
    )
    host.write(path, f"{head}{records}\n")
    own = f"\n    file: {path}\n    zonefile-sync: -1\n    zonefile-load: whole\n"
    _serve(host, secondary, {f"{zone}{own}    journal-content: none": ""}, "notify: other")


def secondary(host: LabHost, of: LabHost, zones: Mapping[str, str]) -> None:
    """Serve the same zones by transfer."""
    _serve(host, of, zones, "master: other")


def _serve(host: LabHost, other: LabHost, zones: Mapping[str, str], role: str) -> None:
    config = _CONFIG.format(
        key=KEY_NAME,
        secret=SECRET,
        others=other.address,
        remotes=f"  - id: other\n    address: {other.address}",
        role=role,
        zones="".join(f"  - domain: {zone}\n" for zone in zones),
    )
    if role.startswith("master"):
        # A secondary takes what it is given.
        for line in ("journal-content: all", "zonefile-load: difference-no-serial"):
            config = config.replace(f"    {line}\n", "")
    host.must(["mkdir", "-p", "/run/knot", "/etc/knot", "/srv/names"])
    host.write("/etc/knot/knot.conf", config)
    last = list(zones)[-1].split()[0]
    host.service(
        "knot",
        "knotd -c /etc/knot/knot.conf",
        ready=f"dig +noall +answer @127.0.0.1 {last} SOA | grep -q SOA",
    )


def refuse_transfers(host: LabHost) -> None:
    """Let the primary refuse to transfer its zones, as a provider's wrong access list does."""
    host.must("sed -i.allowed 's/action: .transfer, notify./action: notify/' /etc/knot/knot.conf")
    host.must("knotc -c /etc/knot/knot.conf reload")


def allow_transfers(host: LabHost) -> None:
    """Take `refuse_transfers` back."""
    host.must("mv /etc/knot/knot.conf.allowed /etc/knot/knot.conf")
    host.must("knotc -c /etc/knot/knot.conf reload")


def says(host: LabHost, name: str, server: str, kind: str = "A") -> list[tuple[str, int]]:
    """What dig on a host is told by a server: data and TTL of each record."""
    done = host.run(
        ["dig", "+noall", "+answer", "+time=1", "+tries=1", f"@{server}", name, kind], timeout=10
    )
    lines = [line.split(None, 4) for line in done.out.splitlines() if line[:1] != ";"]
    return sorted((line[4], int(line[1])) for line in lines if len(line) == 5)
