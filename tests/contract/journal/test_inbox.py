"""What every inbox promises: nothing that a person asked is lost, nothing is answered twice."""

from drrun.core.model.ids import RunId
from drrun.ports.journal import RequestAnswer
from tests.contract.journal.benches import RUN, START, Bench, SqliteBench, record


def test_requests_wait_in_the_order_they_came(bench: Bench) -> None:
    theirs = bench.elsewhere().inbox
    posted = [theirs.post(RUN, START, "simon", "note", {"text": str(n)}) for n in range(3)]
    assert bench.mine.inbox.pending(RUN) == posted


def test_a_request_waits_only_for_its_own_run(bench: Bench) -> None:
    other = RunId("20240112-090000-other-0000")
    bench.mine.journal.create(record(other), [])
    bench.mine.inbox.post(other, START, "simon", "pause", {})
    assert bench.mine.inbox.pending(RUN) == []


def test_the_person_who_asked_gets_the_answer(bench: Bench) -> None:
    theirs = bench.elsewhere().inbox
    request = theirs.post(RUN, START, "simon", "confirm", {"step": "call"})
    before = theirs.answer(request)
    bench.mine.inbox.settle(request, RequestAnswer(accepted=True, message="call is confirmed"))
    assert before is None
    assert theirs.answer(request) == RequestAnswer(accepted=True, message="call is confirmed")


def test_an_answered_request_does_not_wait_any_more(bench: Bench) -> None:
    request = bench.mine.inbox.post(RUN, START, "simon", "pause", {})
    bench.mine.inbox.settle(request, RequestAnswer(accepted=False, message="it is paused already"))
    assert bench.mine.inbox.pending(RUN) == []


def test_the_first_answer_stands(bench: Bench) -> None:
    request = bench.mine.inbox.post(RUN, START, "simon", "pause", {})
    bench.mine.inbox.settle(request, RequestAnswer(accepted=True, message="first"))
    bench.mine.inbox.settle(request, RequestAnswer(accepted=False, message="second"))
    assert bench.mine.inbox.answer(request) == RequestAnswer(accepted=True, message="first")


def test_a_request_of_another_process_arrives(disk: SqliteBench) -> None:
    said = disk.other("post", RUN).hear()
    (request,) = disk.mine.inbox.pending(RUN)
    assert (request.id, request.actor, request.kind) == (said["id"], "simon", "pause")
    assert request.body == {"reason": "smoke"}
