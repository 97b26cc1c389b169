"""What a controller concludes: the table of attempts.md, line by line, asked of the real `Job`."""

import pytest

from drrun.core.integrity.chain import Head
from drrun.core.model.outcomes import NeverStarted, RefusedByHost
from drrun.ports.hands import Memory
from drrun.ssh import launcher_answers as a
from drrun.ssh.jobs import Job
from drrun.ssh.launcher_answers import KeptOutput
from tests.model.controller import NAME, Controllers, Input, JobKey, Start

FIRST = a.LauncherReady("1", lost=True, folder="/run")
LATER = a.LauncherReady("1", lost=False, folder="/run")
ANEW = a.LauncherReady("2", lost=False, folder="/run")
BEGUN = a.CommandBegun(NAME, 42, "1", leads=True)
#: Picked up: it may have been asked for on this boot.
AGAIN = Start(epoch=2, again=True, asked_on="1")
TAKEN = AGAIN._replace(was_taken=True)
MARK = KeptOutput(len(NAME) + 7, f"begun {NAME}\n".encode())

LOST: Input = ("lost",)
#: Its own look, once something else is awaited.
LOOKS: Input = ("alarm", "Job._look_now")
GIVES_UP: Input = ("alarm", "Job._give_up")


def opened(ready: a.LauncherReady) -> Input:
    return ("opened", ready)


def heard(answer: a.LauncherAnswer) -> Input:
    return ("heard", NAME, answer)


def state(word: str, code: int | None = None, out: KeptOutput = KeptOutput()) -> Input:  # noqa: B008
    begun = None if word in ("absent", "torn", "withdrawn") else BEGUN
    return heard(a.AttemptState(word, NAME, code, out, KeptOutput(), begun))


def withdrawn(word: str) -> Input:
    return heard(a.Withdrawal(NAME, word))


def refused(*, decided: bool = False) -> Input:
    return heard(a.StartRefused(NAME, "No space left on device", decided))


def ended(code: int, out: KeptOutput = KeptOutput()) -> Input:  # noqa: B008
    return heard(a.CommandEnded(NAME, code, out, KeptOutput()))


class Told:
    """A job that is told things."""

    def __init__(self, start: Start) -> None:
        self._controllers = Controllers(Job)
        self.key: JobKey = self._controllers.begin(start)
        self.sent: list[str] = []

    def tell(self, *inputs: Input) -> "Told":
        for each in inputs:
            told = self._controllers.tell(self.key, each)
            self.key = told.key
            self.sent += told.sent
        return self

    @property
    def verdict(self) -> str:
        return self.key.verdict.word if self.key.verdict else ""


OTHER = Start(become=True)

CASES: dict[str, tuple[Start, tuple[Input, ...], str]] = {
    "nothing was ever sent": (
        Start(),
        (("unreached", NeverStarted("no route")),),
        "NeverStarted",
    ),
    "nothing was ever sent, and the host does not know us": (
        Start(),
        (("unreached", RefusedByHost("another key")),),
        "RefusedByHost",
    ),
    "a withdrawal won on the boot on which it was asked for": (
        Start(),
        (opened(FIRST), refused(), withdrawn("won")),
        "NeverStarted",
    ),
    "a withdrawal won on a later boot": (
        AGAIN,
        (opened(ANEW), ("end",), withdrawn("won")),
        "OutcomeUnknown",
    ),
    "the one that won says that it did nothing": (
        Start(),
        (opened(FIRST), refused(decided=True)),
        "NeverStarted",
    ),
    "the only request was refused, and nothing can be withdrawn": (
        Start(),
        (opened(FIRST), refused(), withdrawn("failed")),
        "NeverStarted",
    ),
    "a later request was refused, and nothing can be withdrawn": (
        Start(),
        (opened(FIRST), LOST, opened(LATER), state("absent"), refused(), withdrawn("failed")),
        "OutcomeUnknown",
    ),
    "it has begun": (Start(), (opened(FIRST), heard(BEGUN)), ""),
    "it ended": (Start(), (opened(FIRST), heard(BEGUN), ended(3)), "Ended"),
    "silence": (Start(), (opened(FIRST), LOST), ""),
    "silence for as long as contact is sought": (
        Start(),
        (opened(FIRST), LOST, GIVES_UP),
        "OutcomeUnknown",
    ),
    "the host is not reached any more": (
        Start(),
        (opened(FIRST), LOST, ("unreached", NeverStarted("no route"))),
        "",
    ),
    "the host knows nothing of it, on the same boot": (
        Start(),
        (opened(FIRST), LOST, opened(LATER), state("absent")),
        "",
    ),
    "the host knows nothing of it, and was booted since": (
        Start(),
        (opened(FIRST), LOST, opened(ANEW), state("absent")),
        "OutcomeUnknown",
    ),
    "the host knows nothing of it, and has lost the folder": (
        Start(),
        (
            opened(FIRST),
            LOST,
            opened(a.LauncherReady("1", lost=True, folder="/run")),
            state("absent"),
        ),
        "OutcomeUnknown",
    ),
    "the host lost the folder, and somebody made a new one": (
        Start(),
        (
            opened(FIRST),
            LOST,
            opened(a.LauncherReady("1", lost=True, folder="/run")),
            LOST,
            opened(LATER),
            state("absent"),
        ),
        "OutcomeUnknown",
    ),
    "the folder went while it was going on": (
        Start(),
        (opened(FIRST), heard(BEGUN), refused(), withdrawn("failed")),
        "OutcomeUnknown",
    ),
    "the host knows nothing of what is known to have begun": (
        TAKEN,
        (opened(LATER), state("absent")),
        "OutcomeUnknown",
    ),
    "it was withdrawn by an earlier controller": (
        AGAIN,
        (opened(LATER), state("withdrawn")),
        "NeverStarted",
    ),
    "its process is gone without an exit code": (
        TAKEN,
        (opened(LATER), state("gone")),
        "OutcomeUnknown",
    ),
    "the host was booted in the middle of it": (
        TAKEN,
        (opened(ANEW), state("rebooted")),
        "OutcomeUnknown",
    ),
    "the host knows a newer controller": (
        Start(),
        (opened(FIRST), heard(a.TokenStale(NAME, Memory(9, "c9", Head(90, "h90"))))),
        "OutcomeUnknown",
    ),
    "its outcome bears another mark": (
        Start(),
        (
            opened(FIRST),
            heard(BEGUN),
            heard(a.CommandEnded(NAME, 0, KeptOutput(), KeptOutput(), "forged")),
        ),
        "OutcomeUnknown",
    ),
    "what is kept of its outcome bears another mark": (
        TAKEN,
        (
            opened(LATER),
            heard(a.AttemptState("ended", NAME, 0, KeptOutput(), KeptOutput(), BEGUN, "forged")),
        ),
        "OutcomeUnknown",
    ),
    "another user executed it": (
        OTHER,
        (opened(FIRST), heard(BEGUN), ended(0, MARK)),
        "Ended",
    ),
    "another user was not to be had": (
        OTHER,
        (opened(FIRST), heard(BEGUN), ended(1)),
        "NeverStarted",
    ),
    "what was to become another user was killed": (
        OTHER,
        (opened(FIRST), heard(BEGUN), ended(137)),
        "OutcomeUnknown",
    ),
    "the output that held the mark is lost": (
        OTHER,
        (opened(FIRST), heard(BEGUN), ended(1, KeptOutput(gone=True))),
        "OutcomeUnknown",
    ),
    "the mark is missing after a reboot": (
        OTHER._replace(again=True, was_taken=True, asked_on="1"),
        (opened(ANEW), state("ended", 0)),
        "OutcomeUnknown",
    ),
    "a person ends what was never begun": (Start(), (("end",),), "Stopped"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_concludes_what_is_known(case: str) -> None:
    start, inputs, word = CASES[case]
    assert Told(start).tell(*inputs).verdict == word


@pytest.mark.parametrize("word", ["torn", "ending"])
def test_what_is_doubtful_is_looked_at_for_a_while_and_not_for_ever(word: str) -> None:
    job = Told(TAKEN).tell(opened(LATER), state(word))
    looks = 0
    while not job.verdict:
        job.tell(LOOKS, state(word))
        looks += 1
    assert (job.verdict, looks) == ("OutcomeUnknown", 2)


def test_a_doubt_is_over_when_something_is_known() -> None:
    job = Told(TAKEN).tell(opened(LATER), state("ending"), LOOKS, state("running"))
    job.tell(LOOKS, state("ending"), LOOKS, state("ended", 0))
    assert job.verdict == "Ended"


@pytest.mark.parametrize("case", ["a reboot", "a folder that is lost"])
def test_a_reboot_that_is_the_step_ends_only_what_has_begun(case: str) -> None:
    ready = {
        "a reboot": ANEW,
        "a folder that is lost": a.LauncherReady("1", lost=True, folder="/run"),
    }
    start = AGAIN._replace(reboots=True)
    assert Told(start).tell(opened(ready[case]), state("absent")).verdict == "OutcomeUnknown"


def test_a_host_that_is_back_has_ended_a_reboot() -> None:
    job = Told(Start(reboots=True)).tell(opened(FIRST), heard(BEGUN), LOST, opened(ANEW))
    assert job.verdict == "Ended"


def test_it_is_asked_for_again_under_the_same_name() -> None:
    job = Told(Start()).tell(opened(FIRST), LOST, opened(LATER), state("absent"))
    assert job.sent == ["start", "look", "start"]


def test_one_that_is_picked_up_is_looked_at_first() -> None:
    assert Told(AGAIN).tell(opened(LATER)).sent == ["look"]


def test_one_that_is_to_be_ended_is_withdrawn_before_it_begins() -> None:
    job = Told(AGAIN._replace(ending=True)).tell(opened(LATER), state("absent"))
    assert job.sent == ["look", "withdraw"]
    assert job.tell(withdrawn("won")).verdict == "Stopped"


def test_what_is_ended_counts_as_gone_when_the_host_shows_it() -> None:
    job = Told(Start()).tell(opened(FIRST), heard(BEGUN), ("end",))
    name = job.sent[-1].removeprefix("ask ")
    job.tell(("heard", name, a.CommandBegun(name, 43, "1", leads=True)))
    job.tell(("heard", name, a.QuestionEnded(name, 0, KeptOutput(5, b"gone\n"), KeptOutput())))
    job.tell(state("ended", 137))
    assert job.key.verdict is not None
    assert (job.verdict, job.key.verdict.gone) == ("Stopped", True)


def test_what_cannot_be_shown_to_be_gone_is_said_to_be_so() -> None:
    job = Told(Start()).tell(opened(FIRST), heard(BEGUN), ("end",))
    name = job.sent[-1].removeprefix("ask ")
    job.tell(("heard", name, a.CommandBegun(name, 43, "1", leads=True)))
    job.tell(("heard", name, a.QuestionEnded(name, 0, KeptOutput(6, b"alive\n"), KeptOutput())))
    assert job.key.verdict is not None
    assert (job.verdict, job.key.verdict.gone) == ("Stopped", False)
