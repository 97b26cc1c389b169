"""PostgreSQL as Debian runs it: one cluster `15 main` a host, primary or streaming standby."""

from pathlib import Path

from tests.lab.host import LabHost

#: The version that this machine has, as Debian names its folders.
VERSION = max(Path("/usr/lib/postgresql").iterdir(), key=lambda each: int(each.name)).name
DATA = f"/var/lib/postgresql/{VERSION}/main"
_CONFIG = """\
listen_addresses = '*'
wal_log_hints = on
wal_keep_size = 256MB
max_wal_senders = 10
hot_standby = on
fsync = off
full_page_writes = on
shared_buffers = 16MB
"""
#: Within a lab everybody is trusted; root administers without changing the account.
_ACCESS = """\
local all all trust
host all all 0.0.0.0/0 trust
host all all ::/0 trust
host replication all 0.0.0.0/0 trust
host replication all ::/0 trust
"""


def _create(host: LabHost, *options: str) -> None:
    """A cluster that is not running, with our settings."""
    host.must(["mkdir", "-p", f"/etc/postgresql/{VERSION}/main", "/run/postgresql"])
    host.must("chown -R postgres: /etc/postgresql /run/postgresql /var/lib/postgresql")
    host.must(["pg_createcluster", VERSION, "main", *options, "--", "-A", "trust", "-N"])
    host.write(f"/etc/postgresql/{VERSION}/main/conf.d/lab.conf", _CONFIG, owner="postgres")
    host.write(f"/etc/postgresql/{VERSION}/main/pg_hba.conf", _ACCESS, owner="postgres")


def primary(host: LabHost, sql: str = "") -> None:
    """Make it a primary with the roles root, site and replication, then execute `sql`."""
    _create(host)
    host.must(["pg_ctlcluster", VERSION, "main", "start"])
    roles = "".join(
        f"CREATE ROLE {name} SUPERUSER REPLICATION LOGIN;" for name in ("root", "replication")
    )
    host.must(
        ["psql", "-Xqd", "postgres"], user="postgres", given=f"{roles}CREATE ROLE site LOGIN;"
    )
    if sql:
        host.must(["psql", "-XqAtd", "postgres", "-v", "ON_ERROR_STOP=1"], given=sql)


def standby(host: LabHost, of: LabHost) -> None:
    """Make it a streaming standby of a primary, and wait until it streams."""
    _create(host)
    host.must(
        f"rm -rf {DATA} &&"
        f" pg_basebackup -h {of.name} -U replication -D {DATA} -R -X stream -c fast",
        user="postgres",
    )
    host.must(["pg_ctlcluster", VERSION, "main", "start"])
    host.must(
        "until [ \"$(psql -XAtc 'select status from pg_stat_wal_receiver')\" = streaming ];"
        " do sleep 0.1; done",
        user="postgres",
        timeout=30,
    )


#: Where `cluster` and `follow` put it: as on hosts that do not follow Debian.
PLAIN = "/srv/postgres"


def ready_for_cluster(host: LabHost) -> None:
    """Let user postgres keep a cluster in /srv/postgres."""
    host.must("mkdir -p /run/postgresql && chown postgres: /run/postgresql /srv")


def cluster(host: LabHost, sql: str) -> None:
    """A primary in /srv/postgres, started by pg_ctl, and `sql` executed in it."""
    ready_for_cluster(host)
    host.must(f"initdb -D {PLAIN} -A trust -N >/dev/null", user="postgres")
    for name, text in (("postgresql.conf", _CONFIG), ("pg_hba.conf", _ACCESS)):
        host.must(f"cat >>{PLAIN}/{name}", user="postgres", given=text)
    _start(host)
    host.must(["psql", "-Xqd", "postgres", "-v", "ON_ERROR_STOP=1"], user="postgres", given=sql)


def follow(host: LabHost, of: LabHost) -> None:
    """A streaming standby of such a cluster."""
    ready_for_cluster(host)
    host.must(f"pg_basebackup -h {of.name} -D {PLAIN} -R -X stream -c fast", user="postgres")
    _start(host)


def _start(host: LabHost) -> None:
    host.must(f"pg_ctl -D {PLAIN} -l /srv/postgres.log -w start", user="postgres")


def ask(host: LabHost, sql: str, database: str = "postgres") -> str:
    """What psql prints, with fields separated by `|`."""
    return host.must(["psql", "-XAtqd", database, "-c", sql], user="postgres").strip()
