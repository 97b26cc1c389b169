"""A launcher, started and spoken to as over a channel: the real starter, text, parser and bulk.

Rules:
- Everything that it says is understood, and no line is too long to arrive whole.
- Whoever waits for an answer takes what came before it too, in order.
"""

import os
import select
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from drrun.engine.captured import CapturedOutput
from drrun.ssh import launcher_answers as a
from drrun.ssh.asks import Streams
from drrun.ssh.boot import Boot
from drrun.ssh.bulk import Bulk, FetchRequest
from drrun.ssh.launcher_answers import LauncherAnswer, parse

#: Seconds after which an answer does not come.
PATIENCE = 60.0
#: A line that is longer need not arrive whole.
LONGEST_LINE = 4096

#: Of attempts that want none of their own.
MARK = "0123456789abcdef"

Kind = TypeVar("Kind", bound=LauncherAnswer)


@dataclass(frozen=True)
class Ground:
    """A host, as far as a launcher sees it."""

    home: Path
    #: Which program is /bin/sh there; "" is that of this machine.
    shell: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    #: What is mounted on the home: options of a tmpfs; "": nothing.
    disk: str = ""
    #: Under which program it runs.
    traced: tuple[str, ...] = ()
    path: str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

    @property
    def runs(self) -> Path:
        return self.home / ".drrun"

    def prefix(self) -> list[str]:
        """A mount namespace of its own, where it is needed."""
        unshare, mount = shutil.which("unshare"), shutil.which("mount")
        mounts = []
        if self.shell:
            mounts.append(f'{mount} --bind "{self.shell}" "{Path("/bin/sh").resolve()}"')
        if self.disk:
            mounts.append(f'{mount} -t tmpfs -o "{self.disk}" none "{self.home}"')
        if not mounts:
            return []
        return [str(unshare), "-m", "/bin/sh", "-c", " && ".join([*mounts, 'exec "$@"']), "sh"]


class Launcher:
    """A launcher that answers."""

    def __init__(
        self,
        ground: Ground,
        *,
        run: str = "run",
        epoch: int = 1,
        controller: str = "c1",
        seq: int = 1,
        claims: bool = True,
        kept: int = 1 << 30,
        known: bool = False,
    ) -> None:
        self.ground = ground
        self.run = run
        self.me, self.seq = f"{epoch} {controller}", seq
        self.boot = Boot("", kept)
        self.nonce = self.boot.proof.nonce
        self.process = subprocess.Popen(
            [*ground.prefix(), *ground.traced, *self.boot.argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=ground.home,
            env={"HOME": str(ground.home), "PATH": ground.path, **ground.env},
            start_new_session=True,
        )
        self.said: list[LauncherAnswer] = []
        self._bulk = Bulk(self.nonce)
        self._changed = threading.Condition()
        self._waiting, self._proved = b"", False
        self._closed = False
        self._leaving = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.send(self.boot.program)
        if run:
            self.send(f"hello {run} {'known' if known else 'new'}\n".encode())
        if run and claims:
            self.claim()

    # --- speaking -------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def claim(self) -> None:
        """Act from now on, whatever the host remembers."""
        self.send(f"claim {self.me} {self.end}\n".encode())

    @property
    def end(self) -> str:
        """Where the journal ends."""
        return f"{self.seq} {digest(self.seq)}"

    def start(self, name: str, script: str | bytes, *, who: str = "", mark: str = MARK) -> None:
        self._execute(f"start {name} {self.end} {mark}", script, who)

    def check(self, script: str) -> None:
        text = _whole(script)
        lines = text.count(b"\n")
        self.send(f"check - /bin/sh {lines}\n".encode() + text)

    def ask(self, name: str, script: str | bytes, *, who: str = "") -> a.QuestionEnded:
        self._execute(f"ask {name}", script, who)
        return self.hear(a.QuestionEnded, name)

    def _execute(self, request: str, script: str | bytes, who: str) -> None:
        text = _whole(script)
        lines = text.count(b"\n")
        self.send(f"{request} {lines} - {who or '- /bin/sh'}\n".encode() + text)

    def look(self, name: str) -> a.AttemptState:
        self.send(f"look {name}\n".encode())
        return self.hear(a.AttemptState, name)

    def withdraw(self, name: str) -> str:
        self.send(f"withdraw {name}\n".encode())
        return self.hear(a.Withdrawal, name).word

    def put(self, name: str, data: bytes) -> bool:
        self.send(f"put {name} {len(data)}\n".encode() + data)
        return self.hear(a.InputStored, name).whole

    def finish(self, name: str, script: str | bytes, *, mark: str = MARK) -> a.CommandEnded:
        self.start(name, script, mark=mark)
        return self.hear(a.CommandEnded, name)

    def quiet(self) -> None:
        """All requests until now were read."""
        self.send(b"ping quiet\n")
        self.hear(a.Pong)

    def await_state(self, name: str, word: str) -> a.AttemptState:
        """Look until it is so; the launcher itself takes the time."""
        state = self.look(name)
        for _ in range(20_000):
            if state.word == word:
                break
            state = self.look(name)
        assert state.word == word, state
        return state

    def eventually(self, holds: Callable[[], bool]) -> None:
        """Wait for something that nobody says; the launcher itself takes the time."""
        for _ in range(20_000):
            if holds():
                return
            self.quiet()
        raise AssertionError("it never happened")

    def list(self, request: str) -> list[LauncherAnswer]:
        self.send(f"{request}\n".encode())
        with self._changed:
            assert self._changed.wait_for(lambda: a.ListDone() in self.said, PATIENCE)
            at = self.said.index(a.ListDone())
            found, self.said = self.said[:at], self.said[at + 1 :]
        return found

    # --- hearing --------------------------------------------------------------------------------

    def hear(self, kind: type[Kind], name: str = "") -> Kind:
        """The next answer of a kind, of a name."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or self._found(kind, name) is not None, PATIENCE
            )
            found = self._found(kind, name)
            assert found is not None, f"no {kind.__name__} {name}, but {self.said}"
            self.said.remove(found)
        return found

    def first(self, name: str, *kinds: type[LauncherAnswer]) -> LauncherAnswer:
        """The first answer of one of several kinds."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: any(self._found(kind, name) for kind in kinds), PATIENCE
            ), self.said
            found = next(
                each
                for each in self.said
                if isinstance(each, kinds) and getattr(each, "name", "") == name
            )
            self.said.remove(found)
        return found

    def either(self, *kinds: type[LauncherAnswer]) -> LauncherAnswer:
        """The first answer of one of several kinds, whatever its name."""
        with self._changed:
            assert self._changed.wait_for(
                lambda: any(self._found(kind, "") for kind in kinds), PATIENCE
            ), self.said
            found = next(each for each in self.said if isinstance(each, kinds))
            self.said.remove(found)
        return found

    def heard(self, kind: type[Kind], name: str = "") -> bool:
        with self._changed:
            return self._found(kind, name) is not None

    def _found(self, kind: type[Kind], name: str) -> Kind | None:
        for each in self.said:
            if isinstance(each, kind) and (not name or getattr(each, "name", "") == name):
                return each
        return None

    def ground_path(self, name: str) -> Path:
        """A file in the home, as the launcher sees it."""
        root = Path(f"/proc/{self.process.pid}/root")
        return root / (self.ground.home / name).relative_to("/")

    @cached_property
    def ready(self) -> a.LauncherReady:
        return self.hear(a.LauncherReady)

    def output(
        self, said: a.CommandEnded | a.QuestionEnded | a.AttemptState
    ) -> tuple[bytes, bytes]:
        """Both outputs, fetched where that is needed."""
        kept, came = _Kept(), threading.Event()
        # They are asked for behind `bring`: `Streams` belongs to one thread, and what comes is
        # read by another.
        fetched: list[FetchRequest] = []
        anything: Any = SimpleNamespace(fetch=fetched.append)
        streams = Streams(anything, said.name, kept, marked=False)
        streams.bring(said.out, said.err, came.set)
        for each in fetched:
            self.fetch(each)
        assert came.wait(PATIENCE), said
        return bytes(kept.streams["stdout"]), bytes(kept.streams["stderr"])

    def fetch(self, wanted: FetchRequest) -> None:
        """For `Streams`."""
        self._bulk.expect(wanted)
        self.send(f"more {wanted.request}\n".encode())

    # --- leaving --------------------------------------------------------------------------------

    def hang_up(self) -> None:
        """The channel is gone without a word."""
        self._leaving.set()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
        self.process.wait(PATIENCE)

    def leave(self) -> None:
        """Nothing more is asked; what is said until the end is heard."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)

    # --- reading --------------------------------------------------------------------------------

    def _read(self) -> None:
        out, err = self.process.stdout, self.process.stderr
        assert out is not None
        assert err is not None
        streams = {out.fileno(): self._out, err.fileno(): self._bulk.feed}
        while streams and not self._leaving.is_set():
            for each in select.select(list(streams), [], [], 0.05)[0]:
                data = os.read(each, 65536)
                if data:
                    streams[each](data)
                else:
                    del streams[each]
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _out(self, data: bytes) -> None:
        *lines, self._waiting = (self._waiting + data).split(b"\n")
        for line in lines:
            assert len(line) < LONGEST_LINE, line
            nonce, _, said = line.decode().partition(" ")
            assert nonce == self.nonce, line
            if not self._proved:
                assert self.boot.proof.given_by(said)
                self._proved = True
                continue
            with self._changed:
                self.said.append(parse(said))
                self._changed.notify_all()


class _Kept(CapturedOutput):
    """All of it."""

    def write(self, stream: str, data: bytes) -> None:
        self.streams[stream] += data


def digest(seq: int) -> str:
    """The hash of an entry of a journal."""
    return f"{seq:064x}"


def _whole(script: str | bytes) -> bytes:
    text = script.encode() if isinstance(script, str) else script
    return text if text.endswith(b"\n") else text + b"\n"
