"""What SourceHut had on 11 January 2024: Philadelphia, its standby and its backups in Fremont."""

from dataclasses import dataclass

from tests.lab import Lab
from tests.lab.services import forge, names, objects, postgres, repositories, resolver

#: 5 of 200 repositories changed after the backup; 50,000 users; 2,000 objects.
REPOSITORIES = [f"r{number:03}" for number in range(199)] + ["canary"]
CHANGED = REPOSITORIES[:5]
USERS = 50_000
HOT, COLD = 200, 1800
BUCKET = "pages"
#: The second address of s3.phl.
OOB = "198.51.100.13"
HG = ("evolve", "tortoise")
SERVICES = ("meta", "paste", "hub", "git", "hg", "todo", "lists", "pages", "builds", "chat")
TTL = 4
_SQL = f"""
CREATE DATABASE meta;
\\c meta
CREATE TABLE users (id int PRIMARY KEY, name text, paying bool);
CREATE TABLE events (what text);
CREATE TABLE credits (id int PRIMARY KEY, days int);
INSERT INTO users SELECT n, 'user' || n, n % 3 = 0 FROM generate_series(1, {USERS}) n;
"""
#: A bare repository with one commit each, and a bundle of it; with plumbing, because it is quick.
_REPOSITORIES = """
set -e
export GIT_AUTHOR_NAME=lab GIT_AUTHOR_EMAIL=l@l GIT_COMMITTER_NAME=lab GIT_COMMITTER_EMAIL=l@l
mkdir -p /srv/bundles && cd /srv/git
git init -q --bare -b master template.git && rm -f template.git/hooks/*
tree=$(git -C template.git hash-object -w -t tree /dev/null)
for name in {names}; do
    cp -R template.git $name.git
    head=$(echo "$name" | git -C $name.git commit-tree $tree)
    echo $head >$name.git/refs/heads/master
    git -C $name.git bundle create -q /srv/bundles/$name.bundle HEAD master
done
rm -rf template.git
cd /srv/bundles && sha256sum *.bundle >manifest && date +%s >taken
"""
_AFTER = """
set -e
export GIT_AUTHOR_NAME=lab GIT_AUTHOR_EMAIL=l@l GIT_COMMITTER_NAME=lab GIT_COMMITTER_EMAIL=l@l
cd /srv/git
for name in {names}; do
    old=$(git -C $name.git rev-parse master)
    new=$(echo after the backup | git -C $name.git commit-tree -p $old $old^{{tree}})
    git -C $name.git update-ref refs/heads/master $new
done
"""
_HG = """
set -e
mkdir -p /srv/backups/hg && cd /srv/backups/hg
for name in {names}; do
    hg init /tmp/$name && echo text >/tmp/$name/file
    hg -R /tmp/$name commit -q -A -u lab -m first
    tar -C /tmp -cf $name.tar $name && rm -rf /tmp/$name
done
sha256sum *.tar >manifest && date +%s >taken
"""
_MAIL = """\
#!/bin/sh
# mail -s SUBJECT ADDRESS: into the outbox, a file a message.
subject=$2 to=$3
mkdir -p "$HOME/outbox" || exit 1
{ printf 'To: %s\\nSubject: %s\\n\\n' "$to" "$subject" && cat; } >"$HOME/outbox/.new.$$" &&
    mv "$HOME/outbox/.new.$$" "$HOME/outbox/$to.$$"
"""


@dataclass(frozen=True)
class Before:
    """How it was when Philadelphia was lost."""

    #: Repository -> head, in the backup and in Philadelphia.
    backup: dict[str, str]
    phl: dict[str, str]
    #: Certificate of the web server to come.
    certificate: str


def furnish(lab: Lab) -> Before:
    """Put everything where it was, and lose Philadelphia."""
    host = lab.host
    postgres.cluster(host("db1.phl"), _SQL)
    postgres.follow(host("db1.fre"), host("db1.phl"))
    postgres.ask(host("db1.phl"), "INSERT INTO events VALUES ('the last of PHL')", "meta")
    backup, phl = _git(lab)
    host("bk1.fre").must(_HG.format(names=" ".join(HG)))
    _objects(lab)
    _zone(lab)
    _desk(lab)
    certificate = _amsterdam(lab)
    users = "".join(f"user{number}\n" for number in range(1, 41))
    host("chat1.ams").write("/root/chat-users", users)
    # A server that is rented as a router forwards already.
    host("gw.ovh").must("echo 1 >/proc/sys/net/ipv4/ip_forward")
    for site in ("phl", "phl-oob"):
        lab.faults.null_route(site)
    for name in ("gw.ovh", "build1.ovh", "build2.ovh"):
        lab.faults.cut(name)
    return Before(backup, phl, certificate)


def _objects(lab: Lab) -> None:
    phl, ams = lab.host("s3.phl"), lab.host("s3.ams")
    hot = {f"hot/{number}.html": f"site {number}" for number in range(1, HOT + 1)}
    cold = {f"cold/{number}.html": f"cold {number}" for number in range(1, COLD + 1)}
    objects.store(phl, BUCKET, hot | cold)
    objects.store(ams, BUCKET, {})
    # Out of band: the only way that there will be.
    objects.remotes(ams, {"phl": OOB, "ams": "127.0.0.1"})
    for each in (phl, ams):
        objects.wait_for(each, BUCKET)


def _git(lab: Lab) -> tuple[dict[str, str], dict[str, str]]:
    host = lab.host
    phl = host("git1.phl")
    phl.must("git config --system --add safe.directory '*'; mkdir -p /srv/bundles;"
             " chown git: /srv/git /srv/bundles")  # fmt: skip
    phl.must(_REPOSITORIES.format(names=" ".join(REPOSITORIES)), user="git", timeout=120)
    backup = repositories.heads(phl)
    host("bk1.fre").must(
        "mkdir -p /srv/backups/git && rsync -a root@git1.phl:/srv/bundles/ /srv/backups/git/"
    )
    phl.must(_AFTER.format(names=" ".join(CHANGED)), user="git")
    return backup, repositories.heads(phl)


def _zone(lab: Lab) -> None:
    ns1, ns2 = lab.host("ns1"), lab.host("ns2")
    records = "\n".join(
        f"{name} {TTL} IN A 192.0.2.{number}" for number, name in enumerate(SERVICES, 100)
    )
    names.primary_by_file(ns1, ns2, "sr.ht", "/srv/zones/sr.ht", records)
    names.secondary(ns2, ns1, {"sr.ht": ""})
    client = lab.host("client.net")
    client.write("/etc/hosts", "127.0.0.1 localhost\n")
    resolver.resolver(client, ["sr.ht"], [ns1, ns2])
    repositories.trusts(client, "git.sr.ht", [lab.host("git1.ams")])


def _desk(lab: Lab) -> None:
    desk = lab.host("desk.ops")
    desk.write("/usr/local/bin/mail", _MAIL, mode=0o755)
    needs = {"git": (500, 900), "hg": (40, 900), "sql": (80, 400), "builds": (2400, 300)}
    capacity = "".join(f"{name} {need} {free}\n" for name, (need, free) in needs.items())
    desk.write("/home/ops/capacity", capacity, owner="ops")
    own = ("example.org 192.0.2.17", "example.net 198.51.100.9", "example.com 192.0.2.17")
    desk.write("/home/ops/customers", "".join(f"{line}\n" for line in own), owner="ops")


def _amsterdam(lab: Lab) -> str:
    host = lab.host
    for name, (at, port) in forge.UNITS.items():
        forge.unit(host(at), name, port)
    for worker in ("build1.ovh", "build2.ovh"):
        forge.unit(host(worker), "builds", 8000)
    postgres.ready_for_cluster(host("db1.ams"))
    host("db1.ams").must("mkdir -p /etc/sr.ht && chown postgres: /etc/sr.ht")
    host("git1.ams").must("chown git: /srv/git")
    forge.git_by_http(host("git1.ams"))
    forge.greeter(host("web1.ams"), "smtp", 25, "220 mail.sr.ht ESMTP")
    forge.greeter(host("chat1.ams"), "irc", 6697, ":chat.sr.ht NOTICE * :hello")
    return forge.front(host("web1.ams"))
