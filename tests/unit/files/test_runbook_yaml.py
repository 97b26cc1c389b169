"""The whole vocabulary of runbooks arrives in the model."""

import pytest

from drrun.core.model.actions import DecisionAction, ManualAction, RunAction, UsesAction
from drrun.core.model.execution import Execution
from drrun.core.model.ids import StepId
from drrun.core.model.probes import Expect, Probe, ProbeKind
from drrun.core.model.runbook import (
    Capture,
    Estimate,
    Level,
    Mode,
    Need,
    Objectives,
    OnFailure,
    Retry,
    RetryCause,
    Role,
    SecretRef,
    StandIn,
)
from drrun.core.model.values import Duration, Share
from tests.unit.files.examples import runbook_of, step_of


def probe_of(body: str) -> Probe:
    (probe,) = step_of(f"{{run: x, verify: {body}}}").verify
    return probe


def need(*names: str) -> Need:
    return Need(tuple(StepId(name) for name in names))


def test_the_head_of_a_runbook_is_read() -> None:
    runbook = runbook_of("""
title: Move
objectives: {rto: 24h, rpo: 12h}
inputs:
  to: {type: string, choices: [ams, fre], default: ams}
  ttl: {type: duration, default: 5m}
  lag: {type: duration}
secrets: {key: {env: DR_KEY}}
roles: {commander: {people: [drew], deputies: [simon]}, dba: [kim]}
services: {git: {title: git.sr.ht, priority: 1, stores: [repos]}}
locks: {deploys: 1}
variants: [planned]
invariants: [{name: one writer, on: "db*", run: x, every: 30s}]
steps: {a: {run: x}}
""")
    assert runbook.objectives == Objectives(Duration(86400), Duration(43200))
    assert runbook.inputs["ttl"].default == Duration(300)
    assert str(runbook.inputs["ttl"].default) == "5m"
    assert runbook.inputs["lag"].required
    assert not runbook.inputs["to"].required
    assert runbook.secrets == {"key": SecretRef("key", "env", "DR_KEY")}
    assert runbook.roles["commander"] == Role("commander", ("drew",), ("simon",))
    assert runbook.roles["dba"].people == ("kim",)
    assert runbook.services["git"].stores == ("repos",)
    assert runbook.locks == {"deploys": 1}
    assert runbook.invariants[0].every == Duration(30)


def test_a_step_knows_where_it_and_its_keys_stand() -> None:
    step = runbook_of("steps:\n  a:\n    run: x\n    needs: []\n").steps[StepId("a")]
    assert (step.place.line, step.place.column) == (4, 3)
    assert (step.places["needs"].line, step.places["needs"].column) == (6, 5)


@pytest.mark.parametrize(
    ("written", "needs"),
    [
        ("b", (need("b"),)),
        ("[b, c]", (need("b"), need("c"))),
        ("[{any_of: [b, c]}, d]", (need("b", "c"), need("d"))),
        ("{any_of: [b, c]}", (need("b", "c"),)),
    ],
)
def test_needs_take_one_id_many_or_alternatives(written: str, needs: tuple[Need, ...]) -> None:
    assert step_of(f"{{run: x, needs: {written}}}").needs == needs


def test_an_estimate_is_one_duration_or_two() -> None:
    assert step_of("{run: x, estimate: 20m}").estimate == Estimate(Duration(1200), Duration(1200))
    assert step_of("{run: x, estimate: {p50: 20m, p90: 1h}}").estimate == Estimate(
        Duration(1200), Duration(3600)
    )


def test_a_retry_is_a_number_or_a_mapping() -> None:
    assert step_of("{run: x, retry: 3}").retry == Retry(attempts=3)
    assert step_of("{run: x, retry: {attempts: 2, delay: 5s, on: [timeout]}}").retry == Retry(
        attempts=2, delay=Duration(5), on=(RetryCause.TIMEOUT,)
    )


def test_a_batch_is_a_share_or_a_canary_list() -> None:
    assert step_of("{run: x, batch: 25%}").batch == (Share(25, percent=True),)
    assert step_of("{run: x, batch: [1, 100%]}").batch == (Share(1), Share(100, percent=True))


def test_a_manual_step_has_its_answers_beside_or_inside() -> None:
    expected = ManualAction("Call", {"serial": "int"}, evidence=True)
    beside = step_of("{manual: Call, input: {serial: {type: int}}, evidence: required}")
    inside = step_of("{manual: {text: Call, input: {serial: int}, evidence: required}}")
    assert beside.action == inside.action == expected


def test_a_decision_has_its_options_beside_or_inside() -> None:
    expected = DecisionAction(
        {"go": {}, "wait": {"title": "Later"}}, "Go?", "boss", default="wait", decide_by="4h"
    )
    rest = "options: {go: , wait: Later}, authority: boss, default: wait, decide_by: 4h"
    assert step_of(f"{{decision: Go?, {rest}}}").action == expected
    assert step_of(f"{{decision: {{question: Go?, {rest}}}}}").action == expected


def test_a_named_action_keeps_its_arguments_and_reads_its_probes() -> None:
    copy = step_of("{uses: copy, with: {content: x, to: '{{ inputs.y }}', mode: 0644}}").action
    assert copy == UsesAction("copy", {"content": "x", "to": "{{ inputs.y }}", "mode": "0644"})
    wait = step_of("{uses: wait, with: {until: [{tcp: 5432}]}}").action
    assert isinstance(wait, UsesAction)
    assert wait.arguments["until"][0].ask == {"port": 5432}


def test_how_a_step_executes_is_read() -> None:
    step = step_of("{run: x, env: {A: 1}, become: postgres, chdir: /srv, shell: bash, stdin: y}")
    assert step.execution == Execution("bash", {"A": "1"}, "postgres", "/srv", "y")
    assert step_of("{run: x, become: true}").execution.become == "root"


@pytest.mark.parametrize(
    ("written", "kind", "ask"),
    [
        ("{run: test -e /x}", ProbeKind.RUN, {"text": "test -e /x"}),
        ("{tcp: 5432}", ProbeKind.TCP, {"port": 5432}),
        ("{tcp: 'db1:5432'}", ProbeKind.TCP, {"host": "db1", "port": 5432}),
        ("{tcp: '[::1]:22'}", ProbeKind.TCP, {"host": "::1", "port": 22}),
        ("{tcp: '{{ host.address }}:22'}", ProbeKind.TCP,
         {"host": "{{ host.address }}", "port": 22}),
        ("{tcp: {host: db1, port: 5432}}", ProbeKind.TCP, {"host": "db1", "port": 5432}),
        ("{http: https://x.org/}", ProbeKind.HTTP, {"url": "https://x.org/"}),
        ("{http: {url: 'https://x.org', address: 10.0.0.1, insecure: true}}", ProbeKind.HTTP,
         {"url": "https://x.org", "address": "10.0.0.1", "insecure": True}),
        ("{dns: x.org}", ProbeKind.DNS, {"name": "x.org"}),
        ("{dns: {name: x.org, type: MX, server: 10.0.0.1}}", ProbeKind.DNS,
         {"name": "x.org", "type": "MX", "servers": ("10.0.0.1",)}),
        ("{sql: select 1}", ProbeKind.SQL, {"query": "select 1"}),
        ("{sql: {query: select 1, url: 'postgresql://x'}}", ProbeKind.SQL,
         {"query": "select 1", "dsn": "postgresql://x"}),
        ("{file: /etc/x}", ProbeKind.FILE, {"path": "/etc/x"}),
        ("{file: {path: /x, exists: false}}", ProbeKind.FILE, {"path": "/x", "exists": False}),
        ("{ask: Is it up?}", ProbeKind.ASK, {"question": "Is it up?"}),
        ("{ask: {question: Up?, role: dba}}", ProbeKind.ASK, {"question": "Up?", "role": "dba"}),
    ],
)  # fmt: skip
def test_a_probe_has_a_short_and_a_long_form(
    written: str, kind: ProbeKind, ask: dict[str, object]
) -> None:
    probe = probe_of(written)
    assert (probe.kind, probe.ask) == (kind, ask)


def test_what_is_expected_becomes_text() -> None:
    assert probe_of("{run: x, expect: {equals: true}}").expect == Expect(equals="true")
    assert probe_of("{run: x, expect: {equals: 1.10}}").expect == Expect(equals="1.10")
    assert probe_of("{sql: x, expect: {lt: 5m}}").expect == Expect(lt="5m")
    assert probe_of("{run: x, expect: {exit: [0, 2]}}").expect == Expect(exit=(0, 2))
    assert probe_of("{run: x, expect: {absent: true}}").expect == Expect(absent=True)


def test_an_http_status_may_stand_in_the_question() -> None:
    assert probe_of("{http: {url: 'http://x', status: 503}}").expect.status == (503,)


def test_a_probe_has_its_own_place_time_and_execution() -> None:
    probe = probe_of(
        "{run: x, on: local, within: 5m, every: 2s, stable_for: 1m, become: root, name: n}"
    )
    assert (probe.on, probe.within, probe.every, probe.stable_for) == (
        ("local",),
        Duration(300),
        Duration(2),
        Duration(60),
    )
    assert (probe.execution, probe.name) == (Execution(become="root"), "n")


def test_a_watch_passes_its_period_on() -> None:
    step = step_of("{run: x, watch: {probes: [{tcp: 1}, {tcp: 2, every: 5s}], "
                   "threshold: 3 of 5, every: 1m}}")  # fmt: skip
    assert [probe.every for probe in step.watch] == [Duration(60), Duration(5)]
    assert step.watch_threshold == "3 of 5"


def test_all_other_keys_are_read() -> None:
    step = step_of("""
    run: x
    modes: [live, rehearsal]
    variants: planned
    when: inputs.really
    not_before: 14:00
    max_failures: 10%
    locks: deploys
    capture: {lag: {from: stderr, regex: 'lag=(\\d+)'}, all: stdout}
    timeout: 1h
    on_failure: pause
    irreversible: true
    reboots: true
    approval: {role: boss, count: 2}
    dry_run: rsync -n
    undo: {run: y, verify: {tcp: 1}}
    when_lost: skip
    restores: repos
    raises: {git: read-only}
    workaround: {reason: z, expires: 30d}
    follow_up: [one, two]
""")
    assert step.modes == (Mode.LIVE, Mode.REHEARSAL)
    assert step.not_before == "14:00"
    assert step.capture == (
        Capture("lag", "stderr", "lag=(\\d+)"),
        Capture("all"),
    )
    assert step.on_failure is OnFailure.PAUSE
    assert step.dry_run == StandIn(RunAction("rsync -n"))
    assert isinstance(step.undo, StandIn)
    assert step.undo.verify[0].ask == {"port": 1}
    assert (step.when_lost, step.restores) == ("skip", ("repos",))
    assert step.raises == {"git": Level.READ_ONLY}
    assert step.workaround == {"reason": "z", "expires": "30d"}
    assert step.follow_up == "one\ntwo"


def test_a_step_may_say_that_it_has_no_undo() -> None:
    assert step_of("{run: x, undo: none}").undo == "none"
    assert step_of("{run: x, undo: {none: the old site is gone}}").undo == "the old site is gone"


def test_defaults_stand_in_for_missing_keys_only() -> None:
    head = "defaults: {retry: 3, timeout: 1h, env: {A: a, B: b}, shell: bash}\n"
    step = step_of("{run: x, timeout: 5m, env: {B: c}}", head)
    assert (step.retry.attempts, step.timeout) == (3, Duration(300))
    assert step.execution == Execution("bash", {"A": "a", "B": "c"})


def test_defaults_about_acting_do_not_hurry_people() -> None:
    step = step_of("{manual: x}", "defaults: {timeout: 1h, owner: boss}\n")
    assert (step.timeout, step.owner) == (None, "boss")
