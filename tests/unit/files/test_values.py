"""Hostile values in shell text execute nothing and arrive unaltered, in every shell (fault F21).

`DRRUN_VALUES` says how many combinations of value, context and shell are tried, 1,200 if it is not
set; half as many damaged texts are tried beside them.
"""

import os
import random
import subprocess
from pathlib import Path

import pytest

from drrun.core.integrity.masking import Mask
from drrun.core.model.errors import InputError
from drrun.files.templates.templating import Templates
from tests.unit.files.shell_grammar import NUMBERS, SHELLS, Grammar, executed

COUNT = int(os.environ.get("DRRUN_VALUES", "1200")) // len(SHELLS)
SEED = os.environ.get("DRRUN_VALUES_SEED", "1")


def rendered(template: str, x: str, n: str) -> str:
    return Templates().text(template, {"x": x, "n": n}, shell=True)


@pytest.mark.faults(21, 119)
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_hostile_value_arrives_unaltered_and_executes_nothing(
    shell: str, tmp_path: Path
) -> None:
    grammar = Grammar(random.Random(f"{SEED} {shell}"), shell)
    cases = []
    for number in range(COUNT):
        text = grammar.command(grammar.chance.randrange(4))
        x, n = grammar.value(f"canary{number}"), grammar.chance.choice(NUMBERS)
        cases.append((rendered(text.template, x, n), text.printed(x, n)))
    said = executed(shell, [script for script, _ in cases], tmp_path)
    assert not list(tmp_path.glob("canary*"))
    for (script, expected), seen in zip(cases, said, strict=True):
        assert seen == expected, script


@pytest.mark.faults(21)
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("shell", SHELLS)
def test_in_no_shell_text_however_damaged_does_a_value_execute(shell: str, tmp_path: Path) -> None:
    grammar = Grammar(random.Random(f"{SEED} {shell} damaged"), shell, functions=False)
    scripts: list[str] = []
    while len(scripts) < COUNT // 2:
        text = grammar.damaged(grammar.command(grammar.chance.randrange(3)).template)
        x = grammar.value(f"canary{len(scripts)}")
        try:
            scripts.append(rendered(text, x, grammar.chance.choice(NUMBERS)))
        except InputError:
            continue  # refused is safe too
    executed(shell, scripts, tmp_path, path="/nowhere")
    found = sorted(path.name for path in tmp_path.glob("canary*"))
    assert not found, scripts[int(found[0].removeprefix("canary"))]


SECRETS = [
    'it\'s "a" $ecret`\\x', "päss wörd'1", "first line\nsecond'line of $x\n", "tab\there'xyz",
    "x;y&z|w!*?[q]",
]  # fmt: skip
TRACED = """set -x
echo {{ x }} '{{ x }}' >/dev/null
v="a{{ x }}"
[ {{ x }} = b ]
set -v
case {{ x }} in b) ;; esac
cat <<E >/dev/null
{{ x }}
E
"""


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_that_traces_itself_shows_no_secret(
    shell: str, secret: str, tmp_path: Path
) -> None:
    """Whatever a shell prints of the assignments and of the words: it is masked."""
    script = tmp_path / "script"
    script.write_text(rendered(TRACED, secret, "1"), encoding="utf-8")
    done = subprocess.run(
        [*SHELLS[shell], str(script)], capture_output=True, check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.stderr
    seen = Mask([secret]).raw(done.stderr + done.stdout)
    for line in secret.splitlines():
        pieces = [line[at : at + 6].encode() for at in range(len(line) - 5)]
        assert not [piece for piece in pieces if piece in seen]


def test_no_value_is_text_that_a_shell_parses() -> None:
    """By construction: behind the assignments no letter of a value stands."""
    grammar = Grammar(random.Random(SEED), "bash")
    for _ in range(300):
        text = grammar.command(grammar.chance.randrange(4)).template
        script = rendered(text, "VALUE'\n", "7007007")
        lines = [f"{name}='{value}'\n" for name, value in (
            ("drrun_x", "VALUE'\\''\n"), ("drrun_n", "7007007"))]  # fmt: skip
        for line in lines:
            script = script.replace(line, "", 1)
        assert "VALUE" not in script
        assert "7007007" not in script
