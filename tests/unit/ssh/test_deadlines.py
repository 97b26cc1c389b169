import threading

from drrun.ssh.deadlines import Deadlines


def test_a_call_that_takes_too_long_is_ended() -> None:
    ended = threading.Event()
    with Deadlines().limit(0.01, ended.set) as limit:
        assert ended.wait(30)
    assert limit.passed


def test_a_call_within_its_time_is_left_alone() -> None:
    ended = threading.Event()
    deadlines = Deadlines()
    with deadlines.limit(0.05, ended.set) as first:
        pass
    with deadlines.limit(0.1, threading.Event().set) as second:
        assert not ended.wait(0.2)
    assert (first.passed, second.passed) == (False, True)


def test_a_sooner_deadline_is_kept_while_a_later_one_is_waited_for() -> None:
    deadlines, ended = Deadlines(), threading.Event()
    with deadlines.limit(300, threading.Event().set), deadlines.limit(0.01, ended.set):
        assert ended.wait(30)


def test_one_that_blocks_while_ending_holds_up_no_other() -> None:
    deadlines, ended, stuck = Deadlines(), threading.Event(), threading.Event()

    def block() -> None:
        stuck.wait(30)

    with deadlines.limit(0.01, block), deadlines.limit(0.02, ended.set):
        assert ended.wait(20)
    stuck.set()
