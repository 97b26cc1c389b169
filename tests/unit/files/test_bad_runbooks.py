"""Bad input is refused with file, line, column, what is wrong and what was probably meant."""

import pytest

from drrun.files.runbook.runbook_yaml import read_runbook
from drrun.files.validation import validate
from tests.unit.files.examples import HEAD, errors, read_errors, validated, warnings


def only_error(step: str) -> str:
    (error,) = read_errors(f"steps:\n  a: {step}\n")
    return error


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            "{run: x, verfy: []}",
            "r.yaml:4:15: steps.a: unknown key 'verfy'; did you mean 'verify'?",
        ),
        ("{run: x, timeout: soon}", "r.yaml:4:24: steps.a.timeout: 'soon' is not a duration"),
        ("{run: x, timeout: -5m}", "'-5m' is not a duration"),
        ("{run: x, timeout: 5}", "'5' is not a duration"),
        ("{run: x, timeout: .inf}", "'.inf' is not a duration"),
        ("{run: x, timeout: .nan}", "'.nan' is not a duration"),
        ("{run: x, timeout: 0s}", "too short"),
        ("{run: x, timeout: [5m]}", "must be a duration like 5m, not a list"),
        (f"{{run: x, timeout: {'9' * 5000}s}}", "must be a duration like 5m"),
        (f"{{run: x, retry: {'9' * 5000}}}", "must be a whole number from 1 to 1000"),
        ("{run: x, retry: 0755}", "must be a whole number from 1 to 1000, not '0755'"),
        ("{run: x, irreversible: yes}", "must be true or false, not 'yes'"),
        ("{run: x, batch: 0}", "a batch of 0 targets never ends"),
        ("{run: x, batch: 200%}", "is not a share"),
        ("{run: x, modes: [alive]}", "did you mean 'live'?"),
        ("{run: [x]}", "steps.a.run: must be text, not a list"),
        ("{run: }", "steps.a.run: must be text, not nothing"),
        ("{title: x}", "does nothing: exactly one action of run, manual, decision, uses"),
        ("{run: x, manual: y}", "has run and manual: exactly one action"),
        ("{run: x, with: {a: b}}", "'with' belongs to 'uses'"),
        ("{uses: coppy}", "unknown action 'coppy'; did you mean 'copy'?"),
        ("{uses: copy, with: {to: /x, content: x, mod: 1}}", "did you mean 'mode'?"),
        ("{uses: copy, with: {content: x}}", "copy needs 'to'"),
        ("{uses: copy, with: {to: x}}", "copy needs exactly one of source, content"),
        ("{uses: wait, with: {for: soon}}", "'soon' is not a duration"),
        ("{run: x, verify: {}}", "a probe asks nothing"),
        ("{run: x, verify: {run: x, tcp: 1}}", "a probe has run and tcp"),
        ("{run: x, verify: {tcp: 70000}}", "'70000' is not a port"),
        ("{run: x, verify: {http: ftp://x}}", "is not a URL"),
        ("{run: x, verify: {run: x, expect: {matches: '('}}}", "is not a regular expression"),
        (
            "{run: x, verify: {run: x, expect: {lt: soon}}}",
            "not a number, duration, size or share",
        ),
        ("{run: x, verify: {run: x, expect: {}}}", "expects nothing"),
        ("{run: x, verify: {run: x, every: 0s}}", "too short"),
        ("{run: x, env: {1A: x}}", "must be a name like PGHOST"),
        ("{run: x, env: {drrun_x: x}}", "does not begin with drrun_"),
        ("{run: x, capture: {stdout: stdout}}", "choose another one"),
        ("{run: x, shell: python3}", "a POSIX shell"),
        ("{decision: x, options: [a, b], default: c}", "default 'c' is not an option"),
        ("{decision: x, options: [a, b], decide_by: 1h}", "needs a 'default'"),
        ("{decision: x}", "'options' is missing"),
        ("{run: x, estimate: {p50: 1h, p90: 1m}}", "p90 1m is less than p50 1h"),
        ("[run, x]", "must be a mapping"),
    ],
)
@pytest.mark.faults(6, 8)
def test_one_mistake_in_a_step_gives_one_finding(step: str, message: str) -> None:  # F6, F8
    assert message in only_error(step)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f:1:1: is empty"),
        ("just text\n", "a runbook is a mapping with 'drrun: 1', not 'just text'"),
        ("- a\n- b\n", "a runbook is a mapping with 'drrun: 1', not a list"),
        ("drrun: 2\nname: x\nfuture: [y]\n", "reads format version 1, not '2'"),
        ("drrun: 1\nsteps: {a: {run: x}}\n", "'name' is missing"),
        ("name: x\nsteps: {a: {run: x}}\n", "'drrun' is missing"),
        ("drrun: 1\nname: x\n", "'steps' is missing"),
        ("drrun: 1\nname: x\nsteps: {}\n", "has no steps"),
    ],
)
@pytest.mark.faults(13)
def test_a_file_that_is_no_runbook_gets_one_clear_message(text: str, message: str) -> None:  # F13
    runbook, (finding,) = read_runbook(text, "f")
    assert runbook is None
    assert message in str(finding)


@pytest.mark.faults(2)
def test_a_step_written_twice_names_both_lines() -> None:  # F2
    (error,) = read_errors("steps:\n  a: {run: x}\n  b: {run: x}\n  a: {run: y}\n")
    assert error == "r.yaml:6:3: 'a' is written twice: here and in line 4"


@pytest.mark.parametrize("name", ["Step", "a_b", "-a", "a b", "st\u0435p"])
@pytest.mark.faults(16)
def test_an_id_is_plain_ascii(name: str) -> None:  # F16: the last has a Cyrillic letter
    (error,) = read_errors(f"steps:\n  '{name}': {{run: x}}\n")
    assert "must be an id like freeze-writes" in error


@pytest.mark.faults(3)
def test_a_circle_of_three_is_printed_as_a_path() -> None:  # F3
    (error,) = errors(
        "steps:\n  a:\n    run: x\n    needs: b\n"
        "  b: {run: x, needs: c}\n  c: {run: x, needs: a}\n"
    )
    assert error == "r.yaml:6:5: steps need each other in a circle: a -> b -> c -> a"


@pytest.mark.faults(4)
def test_a_step_that_needs_itself_is_refused() -> None:  # F4
    (error,) = errors("steps:\n  a: {run: x, needs: a}\n")
    assert "a step cannot need itself" in error


@pytest.mark.faults(5)
def test_an_unknown_step_is_refused_with_the_nearest_name() -> None:  # F5
    (error,) = errors("steps:\n  freeze: {run: x}\n  b: {run: x, needs: freze}\n")
    assert error == "r.yaml:5:15: steps.b.needs: unknown step 'freze'; did you mean 'freeze'?"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("db1.ph", "no host or group 'db1.ph'; did you mean 'db1.phl'?"),
        ("databse", "did you mean 'database'?"),
        ("spare", "group 'spare' is empty"),
        ("site:am", "unknown site 'am'; did you mean 'ams'?"),
        ("'x*'", "'x*' matches no host"),
    ],
)
@pytest.mark.faults(7)
def test_hosts_that_do_not_exist_are_refused(pattern: str, message: str) -> None:  # F7
    (error,) = errors(f"steps:\n  a: {{run: x, on: {pattern}}}\n")
    assert message in error
    (error,) = errors(f"steps:\n  a: {{run: x, verify: {{run: x, on: {pattern}}}}}\n")
    assert message in error


@pytest.mark.parametrize("pattern", ["db1.phl", "database", "site:ams", "'db*'", "local"])
def test_hosts_that_exist_are_accepted(pattern: str) -> None:
    assert not errors(f"steps:\n  a: {{run: x, on: {pattern}}}\n")


def test_without_an_inventory_nothing_is_said_about_hosts() -> None:
    text = "steps:\n  a: {run: x, on: nowhere}\n"
    assert not validated(text, with_inventory=False).errors


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("owner: bos", "unknown role 'bos'; did you mean 'boss'?"),
        ("approval: bos", "unknown role 'bos'"),
        ("locks: deploy", "unknown lock 'deploy'; did you mean 'deploys'?"),
        ("raises: {gitt: down}", "unknown service 'gitt'; did you mean 'git'?"),
        ("restores: repo", "unknown store 'repo'; did you mean 'repos'?"),
        ("variants: plan", "unknown variant 'plan'; did you mean 'planned'?"),
    ],
)
def test_names_that_are_not_declared_are_refused(step: str, message: str) -> None:
    head = (
        "roles: {boss: [kim]}\nlocks: [deploys]\nservices: {git: {stores: [repos]}}\n"
        "variants: [planned]\n"
    )
    (error,) = errors(f"{head}steps:\n  a: {{run: x, {step}}}\n")
    assert message in error


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("{type: intt}", "did you mean 'int'?"),
        ("{type: int, default: x}", "inputs.i: default must be a whole number, not 'x'"),
        ("{type: duration, default: 5}", "must be a duration like 5m, not '5'"),
        ("{choices: [a, b], default: c}", "must be one of a, b, not 'c'"),
        ("{type: choice}", "needs 'choices'"),
        ("{type: int, choices: [x]}", "choice must be a whole number"),
    ],
)
def test_a_declared_input_must_fit_its_own_type(declared: str, message: str) -> None:
    (error,) = read_errors(f"inputs: {{i: {declared}}}\nsteps: {{a: {{run: x}}}}\n")
    assert message in error


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_text() -> None:
    found = validated(
        "titel: x\nsteps:\n  a: {run: 'echo {{ inputs.x }}', timeout: soon, on: nowhere}\n"
        "  b: {needs: [c]}\n"
    )
    lines = [finding.place.line for finding in found.findings]
    assert found.runbook is None
    assert len(lines) == 6
    assert lines == sorted(lines)


@pytest.mark.faults(22)
def test_a_step_that_changes_something_without_verify_is_a_warning() -> None:  # F22
    (warning,) = warnings("steps:\n  a: {run: x}\n  b: {manual: y}\n")
    assert (warning.code, warning.place.line) == ("missing-verify", 4)


def test_a_warning_can_be_waived_for_a_step_with_a_reason() -> None:  # F22
    waiver = "waivers: [{rule: missing-verify, steps: [a], reason: seen at once}]\n"
    (warning,) = warnings(waiver + "steps:\n  a: {run: x}\n  b: {run: x}\n")
    assert "steps.b" in warning.message


def test_a_waiver_of_a_rule_that_does_not_exist_is_a_warning() -> None:
    waiver = "waivers: [{rule: missing-verfy, reason: x}]\n"
    (warning,) = warnings(waiver + "steps: {a: {manual: x}}\n")
    assert "did you mean 'missing-verify'?" in warning.message


def test_many_mistakes_are_all_reported() -> None:
    text = HEAD + "steps:\n" + "".join(f"  s{n}: {{run: x, neds: y}}\n" for n in range(1000))
    assert len(validate(text, "f").findings) == 1000


@pytest.mark.faults(19)
def test_ten_thousand_steps_and_a_chain_of_a_thousand_are_valid() -> None:  # F19
    steps = "".join(
        f"  s{n}: {{run: x, needs: [s{n - 10}], verify: {{run: x}}}}\n" for n in range(10, 10_000)
    )
    first = "".join(f"  s{n}: {{run: x, verify: {{run: x}}}}\n" for n in range(10))
    found = validated("steps:\n" + first + steps)
    assert not found.findings
    assert found.runbook is not None
    assert len(found.runbook.steps) == 10_000
