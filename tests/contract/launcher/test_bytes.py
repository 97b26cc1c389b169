"""Scripts and outputs are bytes: they arrive as they are, whatever the language of the host."""

import os
import shlex
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drrun.ssh import launcher_answers as a
from drrun.ssh.bulk import FetchRequest
from tests.contract.launcher.conftest import Open
from tests.contract.launcher.launchers import Ground, Launcher

LANGUAGES = ({"LANG": "C"}, {"LC_ALL": "C.UTF-8"})
MIB = 1 << 20
#: Around what is told at once, and what is fetched at once.
SIZES = (0, 1, 899, 900, 901, 65536, MIB - 1, MIB, MIB + 1, 3 * MIB + 7)

Echo = Callable[[bytes], bytes]


@pytest.fixture(params=LANGUAGES, ids=str)
def echo(request: pytest.FixtureRequest, any_ground: Ground, opens: Open) -> Echo:
    """What a script says that holds these bytes."""
    launcher: Launcher = opens(
        Ground(any_ground.home, any_ground.shell, request.param, path=any_ground.path)
    )
    names = count()

    def executed(content: bytes) -> bytes:
        quoted = shlex.quote(content.decode("latin-1")).encode("latin-1")
        ended = launcher.finish(f"n{next(names)}", b"printf %s " + quoted)
        assert (ended.code, ended.err.size) == (0, 0)
        return launcher.output(ended)[0]

    return executed


NASTY = (
    b"\n\n",
    b" \t leading and trailing \t ",
    b"back\\slash\\",
    b"a line that ends with a backslash\\\nand goes on",
    b"$HOME `id` $(id) ${IFS}",
    b"%s %d %%",
    b"'\"'\"'",
    b"END\n$text\n",
    b"\r\n\r",
    b"\x80\xff\xfe\xc3",
    b"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
    b"\x01\x02\x7f\x81\x82\x84\x88",
    b"-n",
    b"*?[a]~",
    bytes(range(1, 256)) * 10,
    b"x" * 12_000,
)


@pytest.mark.faults(70)
@pytest.mark.parametrize("content", NASTY, ids=range(len(NASTY)))
def test_a_script_arrives_as_it_is(echo: Echo, content: bytes) -> None:
    assert echo(content) == content


@given(st.binary(max_size=300).map(lambda each: each.replace(b"\0", b"")))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_script_arrives_as_it_is(echo: Echo, content: bytes) -> None:
    assert echo(content) == content


@pytest.mark.faults(70)
def test_outputs_of_all_sizes_come_as_they_are(any_launcher: Launcher, tmp_path: Path) -> None:
    for size in SIZES:
        data = os.urandom(size)
        (tmp_path / "data").write_bytes(data)
        script = f"cat {tmp_path}/data; cat {tmp_path}/data >&2"
        ended = any_launcher.finish(f"n{size}", script)
        assert ended.out.size == ended.err.size == size
        assert (ended.out.data is None) == (size >= 900)
        assert any_launcher.output(ended) == (data, data), size


def test_outputs_of_a_question_come_as_they_are(any_launcher: Launcher, tmp_path: Path) -> None:
    data = os.urandom(5000)
    (tmp_path / "data").write_bytes(data)
    said = any_launcher.ask("q", f"cat {tmp_path}/data")
    assert any_launcher.output(said) == (data, b"")


def test_output_is_read_on_from_where_it_stopped(any_launcher: Launcher) -> None:
    any_launcher.finish("n", "printf 0123456789")
    got: list[bytes] = []
    came = threading.Event()
    for offset, length in ((4, 3), (9, 1), (0, 10)):
        came.clear()
        any_launcher.fetch(FetchRequest("n", "o", offset, length, got.append, came.set))
        assert came.wait(60)
    assert b"".join(got) == b"45690123456789"


def test_input_of_any_bytes_and_size_arrives(any_launcher: Launcher) -> None:
    for size in (0, 1, 70_000, MIB):
        data = os.urandom(size)
        name = f"n{size}"
        assert any_launcher.put(name, b"cat\n" + data)
        start = f"start {name} {any_launcher.end} - 1 {name}.i - /bin/sh\n"
        any_launcher.send(start.encode())
        assert any_launcher.output(any_launcher.hear(a.CommandEnded, name))[0] == data
