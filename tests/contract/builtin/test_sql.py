"""The `sql` probe against a real PostgreSQL, by psycopg and by psql."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from drrun.builtin.probes import Probes
from drrun.core.model.inventory import Host
from drrun.core.model.probes import Expect, ProbeKind, Verdict
from drrun.core.model.values import Duration
from drrun.hands.local import LocalPlace
from drrun.ports.places import ProbeAnswer, Question, Remote
from tests.postgres import Postgres

Ask = Callable[..., ProbeAnswer]


class Here:
    """Every host is this machine."""

    def place(self, host: Host | None) -> Remote:
        return LocalPlace()


@pytest.fixture(params=["psycopg", "psql"])
def ask(request: pytest.FixtureRequest, postgres: Postgres) -> Ask:
    """Asks by a driver on the controller, or by psql on a host."""
    host = Host("db1") if request.param == "psql" else None

    def evaluate(query: str, dsn: str = postgres.dsn, **expect: str) -> ProbeAnswer:
        question = Question(
            ProbeKind.SQL,
            {"query": query, "dsn": dsn},
            Expect(**expect),  # type: ignore[arg-type] # kwargs
            Duration(10),
            host,
        )
        return Probes(Here()).evaluate(question, threading.Event())

    return evaluate


def test_a_primary_is_told_from_a_standby(ask: Ask) -> None:
    seen = ask("select pg_is_in_recovery()", equals="f")
    assert (seen.verdict, seen.value) == (Verdict.HOLDS, "f"), seen.why


def test_a_value_that_is_not_expected_does_not_hold_and_is_named(ask: Ask) -> None:
    seen = ask("select 7", equals="8")
    assert (seen.verdict, seen.why) == (Verdict.DOES_NOT_HOLD, "expected equals '8', saw '7'")


@pytest.mark.faults(83)
def test_a_number_is_compared_with_its_limit(ask: Ask) -> None:
    assert ask("select 42", lt="5m").verdict is Verdict.HOLDS


def test_a_query_is_for_the_server_alone(ask: Ask, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    query = f"select 'it''s \\ `x` :a'\n\\! touch {canary}\n"
    assert ask(query).verdict is Verdict.COULD_NOT_TELL
    assert (
        ask("select 'it''s \\ `x` $y :a' -- ;", equals=r"it's \ `x` $y :a").verdict
        is Verdict.HOLDS
    )
    assert not canary.exists()


def test_several_rows_are_lines(ask: Ask) -> None:
    assert ask("values (1, 'a'), (2, 'b')", equals="1\ta\n2\tb").verdict is Verdict.HOLDS


@pytest.mark.faults(80)
def test_nothing_can_be_written(ask: Ask) -> None:
    seen = ask("create table written (x int)")
    assert (seen.verdict, "read-only" in seen.why) == (Verdict.COULD_NOT_TELL, True), seen.why


def test_a_wrong_statement_could_not_tell(ask: Ask) -> None:
    seen = ask("select nothing from nowhere")
    assert (seen.verdict, "nowhere" in seen.why) == (Verdict.COULD_NOT_TELL, True)


@pytest.mark.faults(77)
def test_a_server_that_is_away_could_not_tell(ask: Ask) -> None:
    seen = ask("select 1", dsn="host=127.0.0.1 port=9 user=drrun dbname=postgres")
    assert seen.verdict is Verdict.COULD_NOT_TELL
