"""A question that is asked in many places is written once."""

import pytest

from drrun.core.model.probes import Invariant, ProbeKind
from drrun.core.model.values import Duration
from drrun.files.runbook.amendments import Amendment, amended
from drrun.files.validation import validate
from tests.unit.files.examples import runbook_of

PROBES = """
drrun: 1
name: shop
probes:
  one-writer: {run: "psql -c x", on: db1, expect: {equals: "1"}, every: 30s}
  healthy:
    - {tcp: 5432}
    - {http: "http://shop.example/health", within: 1m}
"""


def messages(text: str) -> list[str]:
    return [str(finding) for finding in validate(text, "shop.yml").findings]


def test_a_name_stands_for_what_it_defines_wherever_probes_stand() -> None:
    runbook = runbook_of(
        PROBES.partition("name: shop")[2]
        + """
steps:
  a:
    run: x
    guard: one-writer
    done_when: [healthy]
    verify: [one-writer, {file: /srv/f}, healthy]
    watch: {probes: healthy, every: 7s}
    undo: {run: y, verify: healthy}
  b: {uses: wait, with: {until: [healthy]}}
"""
    )
    step = runbook.steps["a"]  # type: ignore[index]
    kinds = [probe.kind for probe in step.verify]
    assert kinds == [ProbeKind.RUN, ProbeKind.FILE, ProbeKind.TCP, ProbeKind.HTTP]
    assert step.guard == step.verify[:1]
    assert step.done_when == step.verify[2:]
    assert [probe.every for probe in step.watch] == [Duration(7), Duration(7)]


def test_a_place_may_want_it_otherwise() -> None:
    text = "{run: x, done_when: healthy, verify: [{use: one-writer, on: db2, within: 5m}]}"
    runbook = runbook_of(PROBES.partition("name: shop")[2] + f"steps: {{a: {text}}}")
    (probe,) = runbook.steps["a"].verify  # type: ignore[index]
    assert (probe.on, probe.within, probe.every) == (("db2",), Duration(300), Duration(30))


def test_invariants_may_be_named_and_have_a_span() -> None:
    runbook = runbook_of(
        PROBES.partition("name: shop")[2]
        + """
invariants:
  - {use: one-writer, since: fence, until: back}
  - {run: x, since: fence}
  - healthy
steps:
  fence: {run: x, verify: one-writer}
  back: {run: x, verify: healthy}
"""
    )
    spans = [(each.since, each.until) for each in runbook.invariants]
    assert spans == [("fence", "back"), ("fence", ""), ("", ""), ("", "")]
    assert all(isinstance(each, Invariant) for each in runbook.invariants)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("{a: {run: x, verify: one-wirter}}", "unknown probe 'one-wirter'; did you mean"),
        ("{a: {run: x, verify: [{use: health}]}}", "unknown probe 'health'; did you mean"),
        ("{a: {run: x, verify: [{use: healthy, expect: {exit: 0}}]}}", "unknown key 'expect'"),
        ("{a: {run: x, verify: healthy}}", "probes.one-writer: is used nowhere"),
    ],
)
def test_a_name_that_nobody_knows_or_uses_is_told(steps: str, said: str) -> None:
    found = messages(f"{PROBES}steps: {steps}")
    assert any(said in message for message in found), found


def test_an_invariant_of_a_step_that_is_not_there_is_refused() -> None:
    text = PROBES + "invariants: [{use: one-writer, since: fense}]\nsteps: {fence: {manual: x}}"
    assert any("invariants.since: unknown step 'fense'; did you mean" in m for m in messages(text))


def test_an_amendment_may_use_them() -> None:
    text = PROBES + "steps: {a: {run: x, verify: [healthy, one-writer]}}"
    draft = validate(text, "shop.yml").runbook
    assert draft is not None
    change = Amendment("more.yml", "steps: {b: {run: x, verify: one-writer}}")
    changed, findings = amended(draft, text, [change])
    assert findings == []
    assert changed.steps["b"].verify == draft.steps["a"].verify[2:]  # type: ignore[index]


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        ("{run: x, tells: {holds: 1}}", "exit 1 is in `holds` and in `not`"),
        ("{run: x, tells: {not: 2}, expect: {exit: 0}}", "keep one"),
        ("{tcp: 1, tells: {not: 2}}", "only a run probe has exit codes"),
        ("{tcp: {port: 1, state: refused}, expect: {contains: x}}", "says nothing that could be"),
        ("{tcp: {port: 1, state: closed}}", "open, refused, silent"),
    ],
)
def test_an_answer_that_does_not_fit_the_question_is_refused(probe: str, said: str) -> None:
    found = messages(f"drrun: 1\nname: x\nsteps: {{a: {{run: x, verify: {probe}}}}}")
    assert any(said in message for message in found), found
