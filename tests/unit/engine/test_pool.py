"""Threads for what blocks."""

import threading

from drrun.engine.pool import Pool

SOON = 10


def test_work_that_blocks_holds_up_no_other_work() -> None:
    pool, blocked, done = Pool(8), threading.Event(), threading.Event()
    pool.run(lambda: assert_set(blocked))
    pool.run(done.set)
    assert done.wait(SOON)
    blocked.set()


def test_no_more_threads_than_allowed_and_nothing_is_lost() -> None:
    pool, lock, go = Pool(3), threading.Lock(), threading.Event()
    seen: set[int] = set()
    finished = threading.Semaphore(0)

    def work() -> None:
        with lock:
            seen.add(threading.get_ident())
        assert_set(go)
        finished.release()

    for _ in range(20):
        pool.run(work)
    go.set()
    assert all(finished.acquire(timeout=SOON) for _ in range(20))
    assert len(seen) <= 3


def test_a_thread_is_used_again() -> None:
    pool, idents = Pool(8), []
    for _ in range(20):
        done = threading.Event()

        def work(done: threading.Event = done) -> None:
            idents.append(threading.get_ident())
            done.set()

        pool.run(work)
        assert done.wait(SOON)
    # The thread may be about to wait for work when the next comes; then there is one more.
    assert len(set(idents)) < 8


def test_nothing_waits_for_its_threads_at_the_end() -> None:
    pool, daemon = Pool(1), list[bool]()
    done = threading.Event()

    def work() -> None:
        daemon.append(threading.current_thread().daemon)
        done.set()

    pool.run(work)
    assert done.wait(SOON)
    assert daemon == [True]


def assert_set(event: threading.Event) -> None:
    assert event.wait(SOON)
