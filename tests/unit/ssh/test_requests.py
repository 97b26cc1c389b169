import pytest
from hypothesis import given
from hypothesis import strategies as st

from drrun.core.integrity.chain import Head
from drrun.core.model.runbook import Execution
from drrun.ports.places import Script
from drrun.ssh.launcher_requests import mark_of, work_of
from drrun.ssh.wire import BadScript

END = Head(87, "h87")
TEXT = st.text().filter(lambda each: "\0" not in each)


@given(TEXT)
def test_a_request_is_one_line_and_as_many_as_it_says(text: str) -> None:
    request = work_of(Script(text)).start("step@host.1", END, "beef")
    line, _, script = request.partition(b"\n")
    *what, lines, source, user, shell = line.split()
    assert what == [b"start", b"step@host.1", b"87", b"h87", b"beef"]
    assert (source, user, shell) == (b"-", b"-", b"/bin/sh")
    assert script.count(b"\n") == int(lines)
    assert script.endswith(b"\n")
    assert text.encode() in script


@given(TEXT, st.binary(min_size=1))
def test_input_is_sent_ahead_behind_the_script(text: str, stdin: bytes) -> None:
    work = work_of(Script(text, stdin=stdin))
    assert work.ahead == work.text + stdin
    assert work.ask("q1") == f"ask q1 {work.lines} q1.i - /bin/sh\n".encode()


def test_input_that_is_written_and_empty_is_sent_too() -> None:
    work = work_of(Script("cat", Execution(stdin="")))
    assert work.ahead == work.text


@pytest.mark.parametrize(("length", "ahead"), [(10_000, False), (20_000, True)])
def test_long_scripts_are_sent_ahead(length: int, *, ahead: bool) -> None:
    work = work_of(Script("#" * length))
    assert (work.ahead is not None) == ahead
    assert (len(work.start("n", END, "")) < length) == ahead


@pytest.mark.parametrize(
    ("execution", "who", "marked"),
    [
        (Execution(), "- /bin/sh", False),
        (Execution(shell="sh"), "- /bin/sh", False),
        (Execution(shell="bash"), "- bash", True),
        (Execution(become="true"), "root /bin/sh", True),
        (Execution(become="false"), "- /bin/sh", False),
        (Execution(become="web", shell="/bin/zsh"), "web /bin/zsh", True),
    ],
)
def test_another_user_or_shell_shows_a_mark(
    execution: Execution, who: str, *, marked: bool
) -> None:
    work = work_of(Script("true", execution))
    assert (work.who, work.marked) == (who, marked)


def test_a_check_stands_before_its_attempt() -> None:
    work = work_of(Script("true"))
    assert work.check() == f"check - /bin/sh {work.lines}\n".encode() + work.text


def test_the_mark_names_whose_it_is() -> None:
    assert mark_of("step@host.1,0") == "begun step@host.1,0"


@pytest.mark.parametrize(
    "execution",
    [
        Execution(become="-u"),
        Execution(become="a b"),
        Execution(become="root\nstart"),
        Execution(shell="/bin/sh -c"),
        Execution(shell="-x"),
        Execution(env={"A B": "1"}),
        Execution(env={"A": "\0"}),
        Execution(chdir="\0"),
    ],
)
def test_what_cannot_be_sent_is_refused(execution: Execution) -> None:
    with pytest.raises(BadScript):
        work_of(Script("true", execution))


def test_a_script_with_a_nul_is_refused() -> None:
    with pytest.raises(BadScript):
        work_of(Script("true\0"))
