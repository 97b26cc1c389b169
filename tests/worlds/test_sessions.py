"""Servers that allow one session for each connection."""

import pytest

from tests.worlds.conftest import Enter
from tests.worlds.fleet import Lane

STEPS = "\n".join(
    f"""
  step{n}:
    on: db1
    run: echo step{n} >>{{{{ host.vars.effects }}}}; sleep 1
    verify:
      - {{run: "grep -qx step{n} {{{{ host.vars.effects }}}}"}}
      - {{run: "[ -e $HOME/ready ] || touch $HOME/ready; [ -e $HOME/ready ]", within: 20s}}
"""
    for n in range(1, 6)
)


@pytest.mark.faults(114)
def test_several_steps_and_their_checks_fit_into_one_session(enter: Enter) -> None:
    world = enter({"db1": Lane()}, "MaxSessions 1")
    done = world.run(STEPS)
    assert (done.exit, world.lies()) == (0, []), done.err
    assert [each.effects for each in world.verdicts().values()] == [1] * 5
    # All of it over one log-in: nothing had to be refused and asked for again.
    assert world.fleet.server.log.count("Accepted publickey") == 1
