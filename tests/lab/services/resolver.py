"""unbound: the caching resolver of a place, which remembers what it was told."""

from collections.abc import Iterable

from tests.lab.host import LabHost

_CONFIG = """\
server:
    interface: 127.0.0.1
    access-control: 127.0.0.0/8 allow
    chroot: ""
    username: ""
    directory: /etc/unbound
    pidfile: /run/unbound.pid
    use-syslog: no
    do-ip6: no
    module-config: "iterator"
    cache-min-ttl: 0
    do-not-query-localhost: no
"""


def resolver(host: LabHost, zones: Iterable[str], servers: Iterable[LabHost]) -> None:
    """Let a host resolve names of these zones by asking their servers, and remember answers."""
    addresses = "".join(f"    stub-addr: {server.address}\n" for server in servers)
    stubs = "".join(
        f'stub-zone:\n    name: "{zone}"\n{addresses}    stub-prime: no\n' for zone in zones
    )
    host.write("/etc/unbound/lab.conf", _CONFIG + stubs)
    host.write("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n")
    host.service(
        "unbound",
        "unbound -d -c /etc/unbound/lab.conf",
        ready="dig +time=1 +tries=1 @127.0.0.1 localhost A | grep -q status",
    )
