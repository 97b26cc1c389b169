"""`validate` and `plan`."""

import json

import pytest

from tests.acceptance.cli.conftest import Tool

TWO_MISTAKES = """\
  a:
    run: "true"
    verfy: [{run: "true"}]
  b:
    needs: [aa]
    run: "true"
"""
GOOD = """\
  a:
    run: "true"
    verify: [{run: "true"}]
    estimate: 10m
  b:
    needs: [a]
    run: "true"
    verify: [{run: "true"}]
"""


def test_every_mistake_is_told_with_its_place(tool: Tool) -> None:
    found = tool("validate", tool.runbook(TWO_MISTAKES))
    assert found.returncode == 2
    places = [line.split(": ")[0] for line in found.stdout.splitlines() if "warning" not in line]
    assert places == ["test.yml:6:5", "test.yml:8:5"]
    assert "did you mean 'verify'" in found.stdout


def test_a_valid_runbook_is_told_in_one_line(tool: Tool) -> None:
    found = tool("validate", tool.runbook(GOOD))
    assert (found.returncode, found.stdout) == (0, "")
    assert found.stderr == "test.yml: valid, 0 errors, 0 warnings, 0 notes\n"


def test_a_warning_is_an_error_under_strict(tool: Tool) -> None:
    name = tool.runbook('  a: {run: "rm -rf /srv/old"}\n')
    assert tool("validate", name).returncode == 0
    assert tool("validate", name, "--strict").returncode == 2
    assert tool("plan", name, "--strict").returncode == 2


def test_findings_are_one_json_document(tool: Tool) -> None:
    found = tool("validate", "--json", tool.runbook(TWO_MISTAKES))
    document = json.loads(found.stdout)
    assert found.returncode == 2
    assert (document["format"], document["kind"], document["valid"]) == (1, "validation", False)
    assert document["findings"][0]["line"] == 6


def test_a_missing_file_is_named(tool: Tool) -> None:
    found = tool("validate", "none.yml")
    assert found.returncode == 2
    assert found.stderr == "drrun: none.yml: no such file\n"


def test_an_unknown_host_is_found_with_an_inventory(tool: Tool) -> None:
    tool.write("hosts.yml", "hosts:\n  db1.ams: {}\n")
    name = tool.runbook('  a: {on: db2.ams, run: "true", verify: [{run: "true"}]}\n')
    found = tool("validate", name, "-i", "hosts.yml")
    assert found.returncode == 2
    assert "db2.ams" in found.stdout


def test_the_plan_is_one_json_document(tool: Tool) -> None:
    document = json.loads(tool("plan", tool.runbook(GOOD), "--json").stdout)
    assert (document["format"], document["kind"], document["length"]) == (1, "plan", 600.0)
    assert [step["id"] for step in document["steps"]] == ["a", "b"]


@pytest.mark.parametrize(("form", "begin"), [("mermaid", "flowchart LR"), ("dot", "digraph")])
def test_the_plan_is_a_graph(form: str, begin: str, tool: Tool) -> None:
    assert tool("plan", tool.runbook(GOOD), "--format", form).stdout.startswith(begin)


def test_the_plan_shows_what_flags_leave_out(tool: Tool) -> None:
    assert "a: named by --skip" in tool("plan", tool.runbook(GOOD), "--skip", "a").stdout


def test_an_input_of_another_type_is_refused(tool: Tool) -> None:
    name = tool.runbook(GOOD, "inputs:\n  ttl: {type: duration, default: 5m}\n")
    found = tool("plan", name, "-e", "ttl=soon")
    assert found.returncode == 2
    assert "input 'ttl'" in found.stderr


def test_a_tabletop_is_not_run(tool: Tool) -> None:
    found = tool("run", "--yes", "--mode", "tabletop", tool.runbook(GOOD))
    assert (found.returncode, found.stdout) == (2, "")
    assert "mode tabletop contacts nothing" in found.stderr
    assert "no runs yet" in tool("history").stdout
