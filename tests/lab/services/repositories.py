"""git over SSH and Mercurial, as a small forge serves them.

Rules:
- The hook of every repository refuses pushes with the text of /srv/git/read-only, if there is one.
"""

from collections.abc import Iterable

from tests.lab.host import LabHost

_HOOK = """\
#!/bin/sh
[ ! -e /srv/git/read-only ] || { cat /srv/git/read-only >&2; exit 1; }
"""
_AUTHOR = "-c user.name=lab -c user.email=lab@localhost"


def git(host: LabHost, repositories: Iterable[str], role: str = "primary") -> None:
    """Serve bare repositories with one commit each below /srv/git, by SSH as user git."""
    host.write("/srv/git/role", f"{role}\n", owner="git")
    host.write("/srv/hooks/pre-receive", _HOOK, mode=0o755)
    host.must("git config --system core.hooksPath /srv/hooks; chown git: /srv/git")
    host.must("git config --system --add safe.directory '*'")
    for name in repositories:
        host.must(
            f"git init -q --bare -b master /srv/git/{name}.git &&"
            f" git clone -q /srv/git/{name}.git /tmp/{name} 2>/dev/null && cd /tmp/{name} &&"
            f" git {_AUTHOR} commit -q --allow-empty -m first && git push -q origin HEAD:master &&"
            f" rm -rf /tmp/{name}",
            user="git",
        )


def heads(host: LabHost, folder: str = "/srv/git") -> dict[str, str]:
    """Repository -> its master, read on the host."""
    told = host.must(
        f"cd {folder} && for each in *.git; do"
        " echo ${each%.git} $(git -c safe.directory='*' -C $each rev-parse master); done"
    )
    return {line.split()[0]: line.split()[1] for line in told.splitlines()}


def trusts(client: LabHost, name: str, servers: Iterable[LabHost]) -> None:
    """Let a client know the host keys of all servers that may stand behind a name."""
    lines = "".join(f"{name} {server.key}\n" for server in servers)
    client.must("cat >>/etc/ssh/ssh_known_hosts", given=lines)


def push(client: LabHost, url: str, message: str, user: str = "ops") -> tuple[bool, str]:
    """Clone and push one commit as a user does; whether it was taken, and what was said."""
    client.must(f"rm -rf /tmp/work && git clone -q {url} /tmp/work", user=user)
    done = client.run(
        f"cd /tmp/work && git {_AUTHOR} commit -q --allow-empty -m '{message}'"
        " && git push -q origin HEAD",
        user=user,
    )
    return done.ok, done.err
