from drrun.core.model.ids import StepId
from drrun.core.model.runbook import Level, Objectives, Role, Service
from drrun.core.model.values import Duration
from drrun.report.clean import columns
from drrun.report.graphs import dot, mermaid
from drrun.report.jsondoc import dumps
from drrun.report.jsondoc.plans import plan_json
from drrun.report.plan_view import PlanView, plan_view
from drrun.report.text.plan import plan_text
from drrun.report.text.sheet import Sheet
from tests.unit.core.worlds import manual, probe, step
from tests.unit.report.runs import bound, lasts


def example() -> PlanView:
    return plan_view(
        bound(
            manual("declare", owner="commander", estimate=lasts(600)),
            step(
                "restore",
                "declare",
                estimate=lasts(3600),
                raises={"git": Level.READ_ONLY},
                verify=(probe(),),
            ),
            step("dns", "declare", estimate=lasts(60)),
            step(
                "cut-over",
                "restore",
                "dns",
                estimate=lasts(300),
                irreversible=True,
                raises={"git": Level.READ_WRITE},
            ),
            step("tidy", "cut-over"),
            title="Move to Amsterdam",
            objectives=Objectives(rto=Duration(3600)),
            roles={"commander": Role("commander", ("drew",), ("simon",))},
            services={"git": Service("git", "git.sr.ht", 1)},
        )
    )


def test_the_critical_path_is_marked_and_summed() -> None:
    text = plan_text(example())
    assert "declare -> restore -> cut-over (1h20m)" in text


def test_points_of_no_return_are_named() -> None:
    assert example().irreversible == (StepId("cut-over"),)


def test_the_load_of_people_is_told_by_role() -> None:
    load = example().loads[0]
    assert (load.role, load.people, load.length) == ("commander", ("drew", "simon"), Duration(600))


def test_a_plan_that_misses_its_objective_says_so() -> None:
    assert "does NOT fit into the RTO of 1h" in plan_text(example())


def test_steps_without_an_estimate_are_marked() -> None:
    assert example().unestimated == (StepId("tidy"),)


def test_a_plan_fits_eighty_columns() -> None:
    assert max(columns(line) for line in plan_text(example(), Sheet(80)).splitlines()) <= 80


def test_the_service_ladder_is_planned() -> None:
    rungs = [(str(rung.level), float(rung.planned)) for rung in example().services[0].rungs]
    assert rungs == [("read-only", 4200.0), ("read-write", 4800.0)]


def test_a_left_out_step_says_why() -> None:
    view = plan_view(bound(step("a", variants=("planned",))))
    assert "a: only in variant planned" in plan_text(view)


def test_the_json_names_its_format() -> None:
    document = plan_json(example())
    assert (document["format"], document["kind"]) == (1, "plan")


def test_the_json_is_ascii() -> None:
    view = plan_view(bound(step("a"), title="\u202eevil\x9b"))
    assert dumps(plan_json(view)).isascii()


def test_a_title_cannot_break_out_of_mermaid() -> None:
    view = plan_view(bound(step("a", title='"]; click a href "javascript:x" <b>')))
    label = mermaid(view).splitlines()[1]
    assert label.count('"') == 2
    assert "<b>" not in label


def test_a_title_cannot_break_out_of_dot() -> None:
    view = plan_view(bound(step("a", title='x"]; evil [label="\\')))
    node = dot(view).splitlines()[3]
    assert node == '  "a" [label="a\\nx\\"]; evil [label=\\"\\\\", ];'.replace(", ]", "]")


def test_alternatives_are_dashed() -> None:
    view = plan_view(bound(step("a"), step("b"), step("c", ("a", "b"))))
    assert mermaid(view).count("-.->") == 2


def test_a_gate_takes_the_time_of_its_role_and_five_minutes_where_nothing_is_said() -> None:
    roles = {
        "quick": Role("quick", ("drew",), response=Duration(60)),
        "usual": Role("usual", ("simon",)),
    }
    view = plan_view(
        bound(
            step("a", estimate=lasts(10), approval={"role": "quick"}),
            step("b", estimate=lasts(10), approval={"role": "usual"}),
            step("c", estimate=lasts(10), irreversible=True, owner="quick"),
            step("d", estimate=lasts(10)),
            roles=roles,
        )
    )
    assert {line.id: float(line.length or 0) for line in view.lines} == {
        "a": 70.0,
        "b": 310.0,
        "c": 70.0,
        "d": 10.0,
    }
    assert {load.role: float(load.length) for load in view.loads} == {
        "quick": 120.0,
        "usual": 300.0,
    }
    assert "after usual answers (5m)" in plan_text(view)


def test_the_rows_of_a_plan_stand_in_the_order_in_which_they_begin() -> None:
    view = plan_view(
        bound(
            step("slow", estimate=lasts(600)),
            step("after-slow", "slow", estimate=lasts(1)),
            step("quick", estimate=lasts(1)),
            step("after-quick", "quick", estimate=lasts(1)),
        )
    )
    assert [line.id for line in view.lines] == ["slow", "quick", "after-quick", "after-slow"]
    begins = [line.begins for line in view.lines]
    assert begins == sorted(begins)
