"""Mistakes in templates are found before the run (fault F20)."""

import json

import pytest

from tests.unit.files.examples import errors, warnings

HEAD = """\
inputs: {to: {default: ams}}
secrets: {key: {env: KEY}}
vars: {zone: x}
"""


def found(step: str) -> list[str]:
    """Errors of a step `b` that needs `a`."""
    return errors(
        f"{HEAD}steps:\n"
        "  a: {run: x, capture: {lag: stdout}}\n"
        "  ask: {manual: x, input: {serial: int}}\n"
        "  go: {decision: x, options: [y, n]}\n"
        f"  b: {{needs: [a, ask, go], {step}}}\n"
        "  late: {run: x, capture: {lag: stdout}}\n"
    )


@pytest.mark.parametrize(
    "name",
    [
        "inputs.to", "secrets.key", "vars.zone", "vars.pgdata", "vars.color", "host", "host.name",
        "host.address", "site", "run.id", "run.mode", "steps.a.lag", "steps.a.state",
        "steps['a'].lag", "steps.ask.serial", "steps.go.option", "inputs.x | default(1)",
        "range(3)", "host.vars.anything",
    ],
)  # fmt: skip
def test_names_that_exist_are_accepted(name: str) -> None:
    assert not found(f'run: "echo {{{{ {name} }}}}"')


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("inputs.too", "unknown input 'inputs.too'; did you mean 'to'?"),
        ("secrets.kee", "unknown secret 'secrets.kee'; did you mean 'key'?"),
        ("vars.pgdat", "unknown variable 'vars.pgdat'; did you mean 'pgdata'?"),
        ("run.ids", "unknown name 'run.ids'; did you mean 'id'?"),
        ("host.adress", "did you mean 'address'?"),
        ("input.to", "unknown name 'input'; did you mean 'inputs'?"),
        ("steps.c", "unknown step 'c'"),
        ("steps.a.lagg", "unknown value 'steps.a.lagg'; did you mean 'lag'?"),
        ("steps.ask.serail", "did you mean 'serial'?"),
        ("steps.late.lag", "add 'late' to 'needs'"),
        ("steps.b.lag", "is this step itself"),
        ("item", "only known in a step with 'for_each'"),
        ("inputs.to to", "expected token"),
    ],
)
@pytest.mark.faults(20)
def test_a_name_that_does_not_exist_is_refused_at_its_key(name: str, message: str) -> None:
    (error,) = found(f'run: "echo {{{{ {name} }}}}"')
    assert message in error
    assert error.startswith("r.yaml:10:28: steps.b.run: ")


@pytest.mark.parametrize(
    "step",
    [
        "run: x, when: inputs.x",
        "run: x, env: {A: '{{ inputs.x }}'}",
        "run: x, chdir: '{{ inputs.x }}'",
        "run: x, stdin: '{{ inputs.x }}'",
        "run: x, on: '{{ inputs.x }}'",
        "run: x, for_each: '{{ inputs.x }}'",
        "run: x, not_before: '{{ inputs.x }}'",
        "run: x, verify: {run: 'y {{ inputs.x }}'}",
        "run: x, verify: {run: y, expect: {lt: '{{ inputs.x }}'}}",
        "run: x, guard: {tcp: '{{ inputs.x }}:1'}",
        "run: x, undo: 'y {{ inputs.x }}'",
        "run: x, approval: {role: r, message: '{{ inputs.x }}'}",
        "manual: 'call {{ inputs.x }}'",
        "uses: copy, with: {content: '{{ inputs.x }}', to: /x}",
        "uses: wait, with: {until: [{run: 'x {{ inputs.x }}'}]}",
    ],
)
def test_templates_are_judged_wherever_they_may_stand(step: str) -> None:
    assert any("unknown input 'inputs.x'" in error for error in found(step))


def test_hosts_are_chosen_before_anything_has_run() -> None:
    (error,) = found("run: x, on: '{{ steps.a.lag }}'")
    assert "not known yet when hosts are chosen" in error


def test_a_clock_time_is_no_expression() -> None:
    assert not found("run: x, not_before: 14:00")


def test_a_step_may_verify_what_it_captured_itself() -> None:
    assert not found("run: x, capture: {n: stdout}, verify: {run: 'test {{ steps.b.n }}'}")


def test_an_item_is_known_where_items_are() -> None:
    assert not found("run: 'echo {{ item }}', for_each: [1, 2]")


def test_a_value_where_it_cannot_be_quoted_is_refused() -> None:  # F21
    (error,) = found("run: 'echo `ls {{ inputs.to }}`'")
    assert "back-ticks" in error


def codes(step: str) -> list[str]:
    return [
        finding.code
        for finding in warnings(f"{HEAD}steps:\n  b: {{verify: {{tcp: 1}}, {step}}}\n")
        if finding.code != "unused-input"
    ]


def test_raw_is_a_warning() -> None:
    assert codes("run: 'echo {{ inputs.to | raw }}'") == ["raw-filter"]


@pytest.mark.parametrize(
    "text",
    [
        'sh -c "ls V"', "bash -lc 'ls V'", "sudo -u x sh -ec 'ls V'", "su - x -c 'ls V'",
        "ssh h 'ls V'", "ssh -p 22 h ls V", "eval echo V", "trap 'rm V' EXIT", "command eval V",
        "python3 -c 'print(V)'", "awk '{ print \"V\" }' f", "awk -F : '/V/' f",
        "awk -v a=V '{ x }' f", "sed -i 's/a/V/' f", "sed -e s/a/b/ -e 's/V//'", "perl -ne 'V'",
        "psql -c 'select V'", "psql --command='select V'", "find . -exec sh -c 'ls V' ';'",
        "ls | xargs -n1 sh -c 'V'", "sh <<E\nls V\nE\n", "bash <<'E'\nls V\nE\n",
        "cat <<E | sh\nls V\nE\n", "echo V | tee f | bash -s", "{ echo V; } | sudo sh",
        "for i in V; do echo $i; done | sh", "echo ls | sed s/V// | sh", 'eval "$(echo V)"',
        "bash <(echo V)", "source <(echo V)", "bash <<< V", "echo V > >(sh)",
        "ssh h bash <<E\nV\nE\n", ". /dev/stdin <<E\nV\nE\n", "ssh h <<E\nls V\nE\n",
        "psql <<E\nselect V\nE\n", "PS4=V", "/bin/sh -c 'V'", "parallel ls V", "compgen -W V",
        "x=$(sh -c 'V')", "node --eval 'V'",
    ],
)  # fmt: skip
def test_a_value_in_the_program_of_another_interpreter_is_a_warning(text: str) -> None:
    assert codes(f"run: {json.dumps(text.replace('V', '{{ inputs.to }}'))}") == ["nested-shell"]


@pytest.mark.parametrize(
    "text",
    [
        "sh -c 'ls \"$1\"' sh V", "su - V -c 'ls'", "ssh V ls", "x=V; trap 'rm \"$x\"' EXIT",
        "python3 -c 'import sys' V", "A=V awk '{ E }' f", "sh f <<E\nV\nE\n",
        "ssh h 'cat >f' <<E\nV\nE\n", "awk '{ x }' V", "sed s/a/b/ V", "psql -v v=V -f f",
        "find V -exec sh -c 'ls \"$1\"' sh {} ';'", "cat <<E >f\nV\nE\nsh f",
        "echo V; echo ls | sh", "cat V | sh -c cat # V", ". V/env.sh", "echo eval V",
        "jq --arg v V .a f", "cat <<E\nV\nE\nls | sh",
    ],
)  # fmt: skip
def test_a_value_beside_the_program_of_another_interpreter_is_none(text: str) -> None:
    assert codes(f"run: {json.dumps(text.replace('V', '{{ inputs.to }}'))}") == []


@pytest.mark.faults(20)
def test_an_input_that_is_used_nowhere_is_a_warning() -> None:
    (warning,) = warnings("inputs: {to: {default: x}}\nsteps: {a: {manual: x}}\n")
    assert (warning.code, "inputs.to" in warning.message) == ("unused-input", True)
