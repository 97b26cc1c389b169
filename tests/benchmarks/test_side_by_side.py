"""What the benchmark says is what was measured: its arithmetic, its graphs, its judgement."""

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks.side.counts import Count
from benchmarks.side.rows import Result, Round, Row, Taken, full, short
from benchmarks.side.wire import carries_data
from benchmarks.side.work import Host, Work, chain, fan_out, layers
from benchmarks.side.writing import Report, picture

HOSTS = [Host(f"h{n}", f"198.18.0.{n + 1}", 22) for n in range(20)]


def taken(seconds: float) -> Taken:
    return Taken(seconds, cpu=0.0, memory=0.0)


def result(
    rounds: Mapping[str, list[Round]], failures: Mapping[str, tuple[int, str]] = {}
) -> Result:
    row = next(row for row in full() if row.name == "chain-0")
    return Result(row, {n: [dict(e) for e in r] for n, r in rounds.items()}, dict(failures))


def steps_of(work: Work) -> dict[str, dict[str, Any]]:
    return {step["id"]: step for lane in work.lanes() for step in lane["steps"]}


def test_a_chain_is_one_lane_without_waits() -> None:
    steps = steps_of(chain(HOSTS[0], 3, "test -e x"))
    assert [step["needs"] for step in steps.values()] == [[], [], []]
    assert steps["s2"]["commands"] == ["true", "test -e x"]


def test_hosts_of_a_fan_out_do_not_wait_for_each_other() -> None:
    work = fan_out(HOSTS, 5)
    assert len(work.lanes()) == 20
    assert all(not step["needs"] for step in steps_of(work).values())


def test_a_graph_takes_as_many_turns_as_it_has_layers() -> None:
    depth: dict[str, int] = {}
    for step in layers(HOSTS, 15, 0.2).steps:
        depth[step.id] = 1 + max((depth[each] for each in step.needs), default=0)
    assert max(depth.values()) == 15
    assert all(len(lane["steps"]) == 15 for lane in layers(HOSTS, 15, 0.2).lanes())


def test_a_graph_waits_for_other_hosts() -> None:
    assert any(step["needs"] for step in steps_of(layers(HOSTS, 2, 0.2)).values())


def packet(payload: bytes, protocol: int = 6) -> bytes:
    total = (40 + len(payload)).to_bytes(2, "big")
    ip = bytes([0x45, 0]) + total + bytes(5) + bytes([protocol]) + bytes(10)
    return ip + bytes(12) + bytes([0x50]) + bytes(7) + payload


def test_only_segments_with_data_are_messages() -> None:
    assert carries_data(packet(b"x"))
    assert not carries_data(packet(b""))
    assert not carries_data(packet(b"x", protocol=17))
    assert not carries_data(bytes([0x60]) + bytes(60))


def test_a_step_costs_what_a_long_run_takes_more_than_a_short_one() -> None:
    found = result({"drrun": [{20: taken(2.0), 80: taken(3.0), 200: taken(3.8)}]})
    (figure,) = found.row.figures
    assert found.values(figure)["drrun"] == pytest.approx([10.0])


def test_who_fails_at_a_size_has_no_figure_of_it_and_is_named() -> None:
    whole: Round = {20: taken(1.0), 80: taken(1.0), 200: taken(1.0)}
    found = result(
        {"drrun": [whole], "paramiko": [whole, {20: taken(3.0)}]}, {"paramiko": (80, "exit 1: no")}
    )
    (figure,) = found.row.figures
    assert set(found.values(figure)) == {"drrun"}
    assert found.curve("paramiko") == [(20, 2.0)]
    assert "chain-0, paramiko at 80: exit 1: no" in Report({}, {}, results=[found]).markdown()


@pytest.mark.parametrize(("value", "kept"), [(1.04, True), (1.06, False)])
def test_a_count_is_judged_to_a_tenth(value: float, *, kept: bool) -> None:
    assert Count("commits", verify=False, value=value, budget=1).kept is kept


def test_the_picture_draws_everybody_who_has_figures() -> None:
    rounds: Round = {20: taken(1.0), 80: taken(2.0), 200: taken(9.0)}
    drawn = picture([result({"drrun": [rounds], "paramiko": [rounds], "Fabric": []})])
    assert len(ET.fromstring(drawn).findall(".//{*}polyline")) == 2


@pytest.mark.parametrize("rows", [short(), full()], ids=["short", "full"])
def test_every_row_has_a_name_of_its_own_and_drrun_in_it(rows: list[Row]) -> None:
    assert len({row.name for row in rows}) == len(rows)
    assert all("drrun" in row.who for row in rows)
