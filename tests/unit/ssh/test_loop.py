import asyncio
import threading

import pytest

from drrun.ssh.loop import Loop, LoopClosed, in_thread


def test_what_blocks_holds_up_nobody() -> None:
    loop, go = Loop(), threading.Event()
    blocked = loop.begin(in_thread(lambda: go.wait(30)))

    async def other() -> str:
        go.set()
        return "done"

    assert loop.begin(other()).result(30) == "done"
    assert blocked.result(30)
    loop.close()


def test_an_error_in_a_thread_is_raised_where_the_result_is_awaited() -> None:
    loop = Loop()
    with pytest.raises(ZeroDivisionError):
        loop.begin(in_thread(lambda: 1 // 0)).result(30)
    loop.close()


def test_what_a_thread_brings_too_late_is_dropped() -> None:
    loop, go, dropped = Loop(), threading.Event(), threading.Event()
    begun = threading.Event()

    def bring() -> str:
        begun.set()
        go.wait(30)
        return "too late"

    waiting = loop.begin(in_thread(bring, lambda _: dropped.set()))
    assert begun.wait(30)
    waiting.cancel()
    go.set()
    assert dropped.wait(30)
    loop.close()


def test_closing_ends_what_waits() -> None:
    loop = Loop()
    waiting = loop.begin(asyncio.sleep(300))
    ended = threading.Event()
    waiting.add_done_callback(lambda _: ended.set())
    loop.close()
    assert ended.wait(30)
    assert waiting.cancelled()


def test_nothing_begins_on_a_closed_loop() -> None:
    loop = Loop()
    loop.close()
    with pytest.raises(LoopClosed):
        loop.begin(asyncio.sleep(0))
