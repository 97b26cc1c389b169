"""What is promised for which form of a secret in which place; the page, and the test's list.

Rules:
- Forms come from `drrun.core.integrity.spellings`. `tests/acceptance/test_canaries.py` prints each
  of them in a real run and looks for it in each place; a test compares the page with this list.
"""

import textwrap
from collections.abc import Callable, Iterator, Mapping

from drrun.core.integrity.masking import SHORTEST
from drrun.core.integrity.spellings import SPELLINGS, spelled

#: Where drrun puts what it was told: column of the table, and what it is.
PLACES: Mapping[str, str] = {
    "state": "journal, inbox, outputs, folds: every file of the state folder",
    "screens": "what `run`, `resume`, `status`, `show`, `logs`, `events`, `history` print",
    "JSON": "what they print with `--json`",
    "reports": "`report` as HTML, Markdown and JSON",
    "exports": "archives of `export`",
    "notices": "what notifiers are given",
    "log file": "the log of drrun's own faults",
    "errors": "messages of what cannot be done",
}


def _wrapped(width: int) -> Callable[[str], list[bytes]]:
    """Every form that is long enough, in lines of so many characters."""

    def wrap(text: str) -> list[bytes]:
        return [
            b"\n".join(form[at : at + width] for at in range(0, len(form), width))
            for form in spelled(text)
            if len(form) > width and not form.isspace() and b"\n" not in form
        ]

    return wrap


def _as_bytes(name: str) -> Callable[[str], list[bytes]]:
    """A spelling of the mask's own table, as bytes."""

    def spell(text: str) -> list[bytes]:
        return [
            form if isinstance(form, bytes) else form.encode("utf-8", "surrogatepass")
            for form in SPELLINGS[name](text)
        ]

    return spell


#: Every form that is promised, by name: how it is made of a secret.
FORMS: Mapping[str, Callable[[str], list[bytes]]] = {
    **{name: _as_bytes(name) for name in SPELLINGS},
    "any of these, letters swapped": lambda text: [form.swapcase() for form in spelled(text)],
    "any of these, in lines of 76": _wrapped(76),
    "any of these, in lines of 20": _wrapped(20),
    "any of these, in lines of 7": _wrapped(7),
}


def page() -> Iterator[str]:
    """The page, line by line."""
    yield "# Secrets\n"
    yield "<!-- written by docs/generate.py; change the code instead -->\n"
    yield _INTRODUCTION
    yield "## Which forms are masked, and where\n"
    yield "| form of a secret | " + " | ".join(PLACES) + " |"
    yield "|---" * (len(PLACES) + 1) + "|"
    for name in FORMS:
        yield f"| {name} |" + " ✓ |" * len(PLACES)
    yield ""
    for name, what in PLACES.items():
        yield f"- *{name}*: {what}."
    yield _REST


def _text(text: str) -> str:
    return textwrap.dedent(text).strip() + "\n"


_INTRODUCTION = _text(f"""
    A secret is named in a runbook and found when it is used: in a variable, a file, or by a
    command. Its value is kept nowhere. Whatever a program prints of it becomes `***` before it is
    kept, shown or sent, in each form of the table. The same holds for each line of a secret with
    several lines, and for the former value of a secret that changed, once somebody gives it.
    Secrets and lines shorter than {SHORTEST} characters are not masked: that would blot out half
    of every output, and the gaps would tell them.

    On a host a secret is in no argument list and in no file that drrun writes: it travels on
    standard input. It is in the environment of a command that names it in `env`, and nowhere else.
    On the controller it is in the environment of drrun, if it was given to it there, and of no
    program that drrun starts, but for the commands of secrets.
""")

_REST = _text("""

    ## When a secret changes in the middle of a run

    The journal has a mark of each value that was used (`SecretsUsed`). It tells one value from
    another and reveals neither: it is a public key made of the value by scrypt, salted with a key
    that is in the state folder and in no export. So `resume` knows that a secret has changed since
    a command was begun, and that its output may show a value that drrun does not know:

    - `drrun resume RUN --old-secret NAME=file:PATH` (or `env:`, `command:`, or `NAME` alone,
      which asks) gives the former value: it is masked like the present one.
    - Without it that output is sealed. It is kept, encrypted for whoever has the former value;
      what probes saw there is judged and left out. `drrun unseal RUN --old-secret NAME` makes it
      readable, masked.
    - If later steps may need values of such an output, `resume` stops and says so (exit code 4);
      `--seal` goes on without those values.

    What a host shows of a former value later, in the output of a command that was begun with the
    new one, is not recognised.

    ## What is recorded as it is

    A secret's value in an input (`-e`), in what a person types in for later steps, or in an
    amendment is refused, because a resume needs these as they are. What the runbook and the
    inventory themselves say is pinned as it is. What people write (notes, reasons) is masked by
    the controller of the run, which knows the secrets; while nobody drives the run it is kept as
    it was written. What a person asked is in the state folder until its controller has answered.

    ## What nobody can mask

    - What a program makes of a secret: a hash, a key that is derived from it, the secret
      encrypted, compressed, reversed, or spelled in a form that is not in the table.
    - A secret in pieces: with other text between them, as a table of `xxd` has, or with fewer than
      8 characters in a piece. Where a form is wrapped, up to 3 characters may stay at the end of
      the line before; lines of fewer than 7 are not put together.
    - A number that was taken out of JSON, and is a secret.

    A step whose output must not be kept at all sends it elsewhere: `run: make-keys >/root/keys`.
""")
