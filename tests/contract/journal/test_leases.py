"""What every keeper of leases promises: one controller, and a name for it."""

import pytest

from drrun.core.model.errors import LeaseLost, RunHeld
from drrun.engine.leasing import LEASE_TTL
from tests.contract.journal.benches import RUN, START, Bench, taken_by_force, watch


def test_the_first_who_asks_is_the_controller(bench: Bench) -> None:
    lease = bench.mine.leases.take(RUN)
    assert (lease.epoch, lease.since, lease.seen) == (1, START, START)
    assert bench.elsewhere().leases.holder(RUN) == lease


def test_the_epoch_grows_with_every_holder(bench: Bench) -> None:
    epochs = []
    for _ in range(3):
        lease = bench.mine.leases.take(RUN)
        epochs.append(lease.epoch)
        bench.mine.leases.release(lease)
    assert epochs == [1, 2, 3]


def test_nobody_holds_a_run_that_was_given_back(bench: Bench) -> None:
    bench.mine.leases.release(bench.mine.leases.take(RUN))
    assert bench.mine.leases.holder(RUN) is None


def test_the_lease_of_a_dead_process_is_taken_at_once(bench: Bench) -> None:
    dead = bench.held_by_the_dead(RUN)
    assert bench.mine.leases.take(RUN).epoch == dead.epoch + 1


def test_a_dead_process_holds_nothing(bench: Bench) -> None:
    bench.held_by_the_dead(RUN)
    assert bench.mine.leases.holder(RUN) is None


def test_the_lease_of_a_living_process_is_refused_with_its_name(bench: Bench) -> None:
    living = bench.held_by_the_living(RUN)
    bench.clock.advance(4)
    with pytest.raises(RunHeld) as refusal:
        bench.mine.leases.take(RUN)
    for words in (
        f"driven by {living.holder} (process {living.pid} on {living.host}",
        "since 2024-01-11 09:00:00 UTC, last sign of life 2024-01-11 09:00:00 UTC by its own",
        "Nothing was changed",
        f"drrun status {RUN}",
        f"drrun resume {RUN} --take-over",
    ):
        assert words in str(refusal.value)


def test_a_holder_out_of_sight_is_not_replaced_without_force(bench: Bench) -> None:
    bench.elsewhere().leases.take(RUN)
    bench.clock.advance(LEASE_TTL * 100)
    with pytest.raises(RunHeld, match="on a machine out of sight"):
        bench.mine.leases.take(RUN)


@pytest.mark.faults(92)
def test_a_holder_that_was_just_seen_is_not_replaced_by_force(bench: Bench) -> None:
    theirs = bench.elsewhere().leases
    lease = theirs.take(RUN)
    watch(bench.mine.leases)
    bench.clock.advance(LEASE_TTL - 1)
    theirs.renew(lease)
    bench.clock.advance(1)
    with pytest.raises(RunHeld, match="it is alive"):
        bench.mine.leases.take(RUN, force=True)
    bench.clock.advance(LEASE_TTL - 1)
    assert watch(bench.mine.leases) == pytest.approx(1)


def test_a_holder_is_watched_from_the_first_look_on_whatever_its_clock_wrote(
    bench: Bench,
) -> None:
    bench.elsewhere().leases.take(RUN)
    bench.clock.advance(LEASE_TTL * 100)
    assert watch(bench.mine.leases) == LEASE_TTL
    bench.clock.advance(LEASE_TTL / 3)
    assert watch(bench.mine.leases) == pytest.approx(LEASE_TTL * 2 / 3)


def test_a_sign_of_life_shows_even_if_the_holders_clock_stands_still(bench: Bench) -> None:
    theirs = bench.elsewhere().leases
    lease = theirs.take(RUN)
    watch(bench.mine.leases)
    theirs.renew(lease)
    with pytest.raises(RunHeld, match="it is alive"):
        bench.mine.leases.take(RUN, force=True)


def test_a_holder_that_is_silent_for_long_is_replaced_by_force(bench: Bench) -> None:
    theirs = bench.elsewhere().leases
    old = theirs.take(RUN)
    new = taken_by_force(bench, bench.mine.leases)
    assert new.epoch == old.epoch + 1
    assert theirs.holder(RUN) == new


@pytest.mark.faults(93)
def test_a_replaced_holder_learns_it_at_its_next_sign_of_life(bench: Bench) -> None:
    theirs = bench.elsewhere().leases
    old = theirs.take(RUN)
    taken_by_force(bench, bench.mine.leases)
    with pytest.raises(LeaseLost):
        theirs.renew(old)


def test_a_replaced_holder_cannot_give_the_new_ones_lease_back(bench: Bench) -> None:
    theirs = bench.elsewhere().leases
    old = theirs.take(RUN)
    new = taken_by_force(bench, bench.mine.leases)
    theirs.release(old)
    assert bench.mine.leases.holder(RUN) == new


def test_a_sign_of_life_is_seen_by_others(bench: Bench) -> None:
    lease = bench.mine.leases.take(RUN)
    bench.clock.advance(10)
    bench.mine.leases.renew(lease)
    holder = bench.elsewhere().leases.holder(RUN)
    assert holder is not None
    assert (holder.since, holder.seen) == (START, START + 10)


def test_whoever_takes_over_is_told_when_the_holder_before_was_last_seen(bench: Bench) -> None:
    theirs = bench.elsewhere().leases
    old = theirs.take(RUN)
    bench.clock.advance(10)
    theirs.renew(old)
    assert (old.seen_before, taken_by_force(bench, bench.mine.leases).seen_before) == (
        None,
        START + 10,
    )
