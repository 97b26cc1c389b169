"""The demonstration's hosts are SSH servers like others, to OpenSSH's own client."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from drrun.demo.demo_world import LOST, DemoWorld, make_world
from drrun.demo.farm import Farm
from tests.sshd import until


@dataclass(frozen=True)
class Client:
    farm: Farm
    world: DemoWorld

    def options(self, host: str) -> list[str]:
        known = self.farm.identity.with_name("known_hosts")
        lines = (
            f"[127.0.0.1]:{self.farm.ports[name]} {key}\n"
            for name, key in self.farm.host_keys.items()
        )
        known.write_text("".join(lines))
        return [
            "-F", "none", "-i", str(self.farm.identity), "-p", str(self.farm.ports[host]),
            "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes",
        ]  # fmt: skip

    def __call__(
        self, host: str, command: str, stdin: bytes = b"", *more: str
    ) -> "subprocess.CompletedProcess[bytes]":
        argv = ["ssh", *self.options(host), *more, "drrun@127.0.0.1", command]
        return subprocess.run(argv, input=stdin, capture_output=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("demo")
    world = make_world(folder / "world", "203.0.113.80")
    with Farm.start(world, folder / "keys", down=LOST) as farm:
        yield Client(farm, world)


def test_a_command_runs_in_its_hosts_folder_and_tells_its_exit(ssh: Client) -> None:
    done = ssh("ns1", "pwd; echo $HOST; exit 7")
    assert (done.returncode, done.stdout.decode().split()) == (
        7,
        [str(ssh.world.host("ns1")), "ns1"],
    )


def test_every_byte_goes_in_and_comes_out_again(ssh: Client) -> None:
    sent = bytes(range(256)) * 40_000
    done = ssh("ns1", "tee /dev/stderr", sent)
    assert (done.stdout == sent, done.stderr == sent) == (True, True)


def test_the_end_of_input_reaches_the_command(ssh: Client) -> None:
    assert ssh("ns1", "cat >/dev/null; echo the end", b"x").stdout == b"the end\n"


def test_a_signal_is_told_as_one(ssh: Client) -> None:
    done = ssh("ns1", "kill -TERM $$")
    # OpenSSH's client has no exit status to give back then.
    assert done.returncode == 255


def test_a_command_that_closes_its_output_still_tells_its_exit(ssh: Client) -> None:
    assert ssh("ns1", "exec >&- 2>&-; exit 5").returncode == 5


def test_a_host_that_is_down_refuses_until_it_is_up(ssh: Client) -> None:
    before = ssh("s3.phl", "true")
    ssh.farm.up("s3.phl")
    after = ssh("s3.phl", "true", b"", "-o", "ConnectionAttempts=20")
    assert (before.returncode, b"refused" in before.stderr, after.returncode) == (255, True, 0)


def test_one_host_is_reached_through_another(ssh: Client) -> None:
    words = ["ssh", *ssh.options("bk1.fre"), "-W", "%h:%p", "drrun@127.0.0.1"]
    done = ssh("git1.ams", "echo $HOST", b"", "-o", f"ProxyCommand={' '.join(words)}")
    assert done.stdout == b"git1.ams\n", done.stderr


def test_nobody_gets_in_with_another_key(ssh: Client, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    options = ssh.options("ns1")
    options[options.index("-i") + 1] = str(key)
    done = subprocess.run(
        ["ssh", *options, "-o", "IdentitiesOnly=yes", "drrun@127.0.0.1", "true"],
        capture_output=True,
        check=False,
    )
    assert (done.returncode, b"Permission denied" in done.stderr) == (255, True)


_DIES = """
import sys
from pathlib import Path
from drrun.demo.farm import Farm
from drrun.demo.demo_world import make_world
folder = Path(sys.argv[1])
with Farm.start(make_world(folder / "world", "x"), folder / "keys") as farm:
    print(farm.ports["ns1"], flush=True)
    sys.stdin.read()
"""


def _refuses(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=30).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


def test_the_servers_end_with_who_started_them_however_that_ends(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _DIES, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        address = ("127.0.0.1", int(program.stdout.readline()))
        with socket.create_connection(address, timeout=30) as line:
            program.kill()
            with suppress(ConnectionResetError):
                while line.recv(4096):
                    pass
    assert until(lambda: _refuses(address), 30)
