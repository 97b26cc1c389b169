import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from drrun.ssh.race import Attempt, Race, RaceLost


class World:
    """Attempts by name, decided one by one by the test."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.cancelled: list[str] = []
        self.dropped: list[str] = []
        self.ends: dict[str, asyncio.Future[str]] = {}

    def attempt(self, name: str, *, has_turn: bool = True) -> Attempt[str]:
        async def attempt(begun: asyncio.Event) -> str:
            self.begun.append(name)
            self.ends[name] = asyncio.get_running_loop().create_future()
            if has_turn:
                begun.set()
            try:
                return await self.ends[name]
            except asyncio.CancelledError:
                self.cancelled.append(name)
                raise

        return attempt

    def race(self, *attempts: Attempt[str], head_start: float | None = None) -> Race[str]:
        def final(error: Exception) -> bool:
            return isinstance(error, PermissionError)

        return Race(attempts, head_start, final, self.dropped.append)

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110 - the loop turns until nothing is left to do
            await asyncio.sleep(0)


def play(test: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(World()), 30))


def test_the_next_begins_when_the_one_before_failed() -> None:
    async def test(world: World) -> None:
        race = asyncio.ensure_future(world.race(world.attempt("a"), world.attempt("b")).run())
        await world.until(lambda: "a" in world.ends)
        world.ends["a"].set_exception(OSError("dead"))
        await world.until(lambda: "b" in world.ends)
        world.ends["b"].set_result("there")
        assert await race == "there"

    play(test)


def test_the_next_begins_beside_one_that_takes_longer_than_its_head_start() -> None:
    async def test(world: World) -> None:
        attempts = [world.attempt("a"), world.attempt("b")]
        race = asyncio.ensure_future(world.race(*attempts, head_start=0.01).run())
        await world.until(lambda: "b" in world.ends)
        world.ends["b"].set_result("there")
        assert await race == "there"
        await world.until(lambda: world.cancelled == ["a"])

    play(test)


def test_the_first_may_win_after_the_next_has_begun() -> None:
    async def test(world: World) -> None:
        attempts = [world.attempt("a"), world.attempt("b")]
        race = asyncio.ensure_future(world.race(*attempts, head_start=0).run())
        await world.until(lambda: "b" in world.ends)
        world.ends["a"].set_result("there")
        assert await race == "there"
        await world.until(lambda: world.cancelled == ["b"])

    play(test)


def test_waiting_for_a_turn_is_no_head_start() -> None:
    async def test(world: World) -> None:
        attempts = [world.attempt("a", has_turn=False), world.attempt("b")]
        race = asyncio.ensure_future(world.race(*attempts, head_start=0).run())
        for _ in range(100):
            await asyncio.sleep(0)
        assert world.begun == ["a"]
        world.ends["a"].set_result("there")
        assert await race == "there"

    play(test)


def test_a_final_failure_ends_those_behind_it_and_leaves_those_before_it() -> None:
    async def test(world: World) -> None:
        attempts = [world.attempt(name) for name in "abcd"]
        race = asyncio.ensure_future(world.race(*attempts, head_start=0).run())
        await world.until(lambda: "c" in world.ends)
        world.ends["b"].set_exception(PermissionError("not who it should be"))
        await world.until(lambda: world.cancelled == ["c"])
        world.ends["a"].set_result("there")
        assert await race == "there"
        assert "d" not in world.begun

    play(test)


def test_all_failures_are_told_in_the_order_of_the_attempts() -> None:
    async def test(world: World) -> None:
        attempts = [world.attempt("a"), world.attempt("b")]
        race = asyncio.ensure_future(world.race(*attempts, head_start=0).run())
        await world.until(lambda: "b" in world.ends)
        world.ends["b"].set_exception(OSError("second"))
        world.ends["a"].set_exception(OSError("first"))
        with pytest.raises(RaceLost, match="first; second"):
            await race

    play(test)


def test_a_second_result_is_dropped() -> None:
    async def test(world: World) -> None:
        attempts = [world.attempt("a"), world.attempt("b")]
        race = asyncio.ensure_future(world.race(*attempts, head_start=0).run())
        await world.until(lambda: "b" in world.ends)
        world.ends["a"].set_result("there")
        world.ends["b"].set_result("there too")
        assert await race == "there"
        await world.until(lambda: world.dropped == ["there too"])

    play(test)


def test_a_race_that_is_given_up_leaves_nothing_behind() -> None:
    async def test(world: World) -> None:
        attempts = [world.attempt("a"), world.attempt("b")]
        race = asyncio.ensure_future(world.race(*attempts, head_start=0).run())
        await world.until(lambda: "b" in world.ends)
        race.cancel()
        with pytest.raises(asyncio.CancelledError):
            await race
        await world.until(lambda: sorted(world.cancelled) == ["a", "b"])


def test_a_result_that_comes_as_the_race_is_given_up_is_dropped() -> None:
    async def test(world: World) -> None:
        race = asyncio.ensure_future(world.race(world.attempt("a")).run())
        await world.until(lambda: "a" in world.ends)
        world.ends["a"].set_result("there")
        await asyncio.sleep(0)
        race.cancel()
        with pytest.raises(asyncio.CancelledError):
            await race
        await world.until(lambda: world.dropped == ["there"])

    play(test)
