import asyncio
from pathlib import Path

import pytest

from drrun.ssh.options import SshOptions
from drrun.ssh.user_config import BadConfig, Configured, Jump, UserConfig


def _configured(tmp_path: Path, text: str, name: str, address: str = "") -> Configured:
    (tmp_path / "config").write_text(text, "utf-8")
    config = UserConfig(SshOptions(config=tmp_path / "config"))
    return asyncio.run(config.of(name, address))


def test_everything_that_matters_is_read(tmp_path: Path) -> None:
    text = (
        "Host db1\n HostName 10.0.0.5\n User admin\n Port 2222\n IdentityFile ~/.ssh/dr\n"
        " IdentitiesOnly yes\n IdentityAgent none\n ProxyJump me@one:2200,two\n"
        " UserKnownHostsFile ~/a /b\n GlobalKnownHostsFile none\n HostKeyAlias other\n"
    )
    found = _configured(tmp_path, text, "db1")
    assert (found.address, found.user, found.port) == ("10.0.0.5", "admin", 2222)
    assert found.identities == (Path("~/.ssh/dr").expanduser(),)
    assert (found.identities_only, found.agent) == (True, False)
    assert found.jumps == (Jump("one", "me", 2200), Jump("two"))
    assert found.known_hosts == (Path("~/a").expanduser(), Path("/b"))
    assert found.host_key_alias == "other"


def test_an_empty_configuration_means_the_name_itself(tmp_path: Path) -> None:
    found = _configured(tmp_path, "", "db1")
    assert (found.address, found.port, found.jumps, found.proxy_command) == ("db1", 22, (), "")


@pytest.mark.parametrize("name", ["", "-v", "a b", "a;b", "a\nb", "$(x)", "a/b", "a'b", "x" * 300])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadConfig, match="host name"):
        _configured(tmp_path, "", name)


def test_without_the_client_the_defaults_of_openssh_hold() -> None:
    found = asyncio.run(UserConfig(SshOptions(client="no-such-ssh")).of("db1"))
    assert (found.address, found.port) == ("db1", 22)
    assert Path("~/.ssh/known_hosts").expanduser() in found.known_hosts


def test_without_the_client_a_given_file_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="install it"):
        asyncio.run(UserConfig(SshOptions(config=tmp_path / "x", client="no-such-ssh")).of("db1"))


class Counting:
    """The real client behind a script that notes how it was called."""

    def __init__(self, tmp_path: Path) -> None:
        self._calls = tmp_path / "calls"
        self.program = tmp_path / "counting-ssh"
        self.program.write_text(f'#!/bin/sh\necho "$*" >>{self._calls}\nexec ssh "$@"\n', "utf-8")
        self.program.chmod(0o755)

    @property
    def names(self) -> list[str]:
        """The names that it was asked for, in alphabetical order."""
        lines = self._calls.read_text("utf-8").splitlines() if self._calls.exists() else []
        return sorted(line.split()[-1] for line in lines)


@pytest.fixture
def client(tmp_path: Path) -> Counting:
    """The client, counted."""
    return Counting(tmp_path)


def _all(client: Counting, config: Path, *hosts: tuple[str, str]) -> list[Configured]:
    """What the configuration says of hosts that are asked for at once."""

    async def ask() -> list[Configured]:
        known = UserConfig(SshOptions(config=config, client=str(client.program)))
        return await asyncio.gather(*(known.of(*host) for host in hosts))

    return asyncio.run(ask())


def _written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "config").write_text(text, "utf-8")
    return tmp_path / "config"


def test_a_configuration_that_says_nothing_of_a_login_is_asked_once_for_all(
    tmp_path: Path, client: Counting
) -> None:
    config = _written(tmp_path, "# Port 1\nHost *\n  SendEnv LANG\n  HashKnownHosts yes\n")
    found = _all(client, config, *((f"db{n}", f"10.0.0.{n}") for n in range(50)))
    assert [each.address for each in found] == [f"db{n}" for n in range(50)]
    assert client.names == ["drrun.invalid"]


@pytest.mark.parametrize(
    "line", ["Port 1", "  user=me", '"IdentityFile" /k', "ProxyJump x", "Match host y"]
)
def test_a_configuration_that_says_something_is_asked_for_each_name_once(
    tmp_path: Path, client: Counting, line: str
) -> None:
    config = _written(tmp_path, f"Host db1\n{line}\n")
    _all(client, config, ("db1", ""), ("db1", ""), ("db2", ""))
    assert client.names == ["db1", "db2", "drrun.invalid"]


def test_what_an_included_file_says_is_not_passed_over(tmp_path: Path, client: Counting) -> None:
    (tmp_path / "more").write_text("Host db1\nPort 2222\n", "utf-8")
    config = _written(tmp_path, f"Include {tmp_path}/mo*\n")
    assert [each.port for each in _all(client, config, ("db1", ""), ("db2", ""))] == [2222, 22]


def test_what_is_said_of_the_address_holds_too(tmp_path: Path) -> None:
    text = "Host 10.0.*\n User deploy\n Port 2200\n ProxyJump gate\n"
    found = _configured(tmp_path, text, "db1", "10.0.0.5")
    assert (found.user, found.port, found.jumps) == ("deploy", 2200, (Jump("gate"),))


def test_what_is_said_of_the_name_wins_over_what_is_said_of_the_address(tmp_path: Path) -> None:
    text = "Host 10.0.*\n User deploy\n Port 2200\nHost db1\n User admin\nHost *\n User other\n"
    found = _configured(tmp_path, text, "db1", "10.0.0.5")
    assert (found.user, found.port) == ("admin", 2200)


def test_what_is_said_of_every_host_does_not_hide_what_is_said_of_the_address(
    tmp_path: Path,
) -> None:
    text = "Host 10.0.*\n User deploy\nHost *\n User other\n"
    assert _configured(tmp_path, text, "db1", "10.0.0.5").user == "deploy"
    assert _configured(tmp_path, text, "db1", "10.1.0.5").user == "other"


def test_identity_files_of_name_and_address_are_both_tried(tmp_path: Path) -> None:
    text = "Host 10.0.*\n IdentityFile /net\nHost db1\n IdentityFile /own\n"
    found = _configured(tmp_path, text, "db1", "10.0.0.5")
    assert found.identities == (Path("/own"), Path("/net"))


def test_the_address_of_the_inventory_is_not_looked_up_again(tmp_path: Path) -> None:
    """HostName of a pattern for the address says nothing of the name."""
    text = "Host 10.0.*\n HostName 192.0.2.1\n"
    assert _configured(tmp_path, text, "db1", "10.0.0.5").address == "db1"


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="host name"):
        _configured(tmp_path, "", "db1", "-oProxyCommand=id")
