from pathlib import Path

import pytest

from drrun.ssh.options import SshOptions
from drrun.ssh.user_config import BadConfig, Jump, UserConfig


def _config(tmp_path: Path, text: str) -> UserConfig:
    (tmp_path / "config").write_text(text, "utf-8")
    return UserConfig(SshOptions(config=tmp_path / "config"))


def test_everything_that_matters_is_read(tmp_path: Path) -> None:
    text = (
        "Host db1\n HostName 10.0.0.5\n User admin\n Port 2222\n IdentityFile ~/.ssh/dr\n"
        " IdentitiesOnly yes\n IdentityAgent none\n ProxyJump me@one:2200,two\n"
        " UserKnownHostsFile ~/a /b\n GlobalKnownHostsFile none\n HostKeyAlias other\n"
    )
    found = _config(tmp_path, text).of("db1")
    assert (found.address, found.user, found.port) == ("10.0.0.5", "admin", 2222)
    assert found.identities == (Path("~/.ssh/dr").expanduser(),)
    assert (found.identities_only, found.agent) == (True, False)
    assert found.jumps == (Jump("one", "me", 2200), Jump("two"))
    assert found.known_hosts == (Path("~/a").expanduser(), Path("/b"))
    assert found.host_key_alias == "other"


def test_an_empty_configuration_means_the_name_itself(tmp_path: Path) -> None:
    found = _config(tmp_path, "").of("db1")
    assert (found.address, found.port, found.jumps, found.proxy_command) == ("db1", 22, (), "")


def test_a_name_is_asked_for_once(tmp_path: Path) -> None:
    config = _config(tmp_path, "User one\n")
    first = config.of("db1")
    (tmp_path / "config").write_text("User two\n", "utf-8")
    assert config.of("db1") is first


@pytest.mark.parametrize("name", ["", "-v", "a b", "a;b", "a\nb", "$(x)", "a/b", "a'b", "x" * 300])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadConfig, match="host name"):
        _config(tmp_path, "").of(name)


def test_without_the_client_the_defaults_of_openssh_hold() -> None:
    found = UserConfig(SshOptions(client="no-such-ssh")).of("db1")
    assert (found.address, found.port) == ("db1", 22)
    assert Path("~/.ssh/known_hosts").expanduser() in found.known_hosts


def test_without_the_client_a_given_file_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="install it"):
        UserConfig(SshOptions(config=tmp_path / "x", client="no-such-ssh")).of("db1")
