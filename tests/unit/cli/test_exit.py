import pytest

from drrun.cli.exit import Exit, exit_of_error, exit_of_run, manual
from drrun.core.model import errors
from drrun.core.model.status import RunStatus


def test_every_code_of_the_contract_is_there() -> None:
    assert [code.value for code in Exit] == [0, 1, 2, 3, 4, 5, 6, 7, 130]


def test_the_manual_explains_every_code() -> None:
    assert len(manual().splitlines()) == len(Exit)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InputError("x"), 2),
        (errors.NotSupported("x"), 2),
        (errors.StateUnusable(), 2),
        (errors.Refused(), 2),
        (errors.HasSucceeded(), 0),
        (errors.HasExceptions(), 7),
        (errors.DiskFull(), 3),
        (errors.NotReady(), 4),
        (errors.RunHeld(), 5),
        (errors.LeaseLost(), 5),
        (errors.JournalDamaged(), 6),
        (errors.IllegalMove(), 1),
    ],
)
def test_every_error_has_its_code(error: errors.DrrunError, code: int) -> None:
    assert exit_of_error(error) == code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (RunStatus.SUCCEEDED, 0),
        (RunStatus.SUCCEEDED_WITH_EXCEPTIONS, 7),
        (RunStatus.FAILED, 1),
        (RunStatus.ABORTED, 1),
        (RunStatus.ROLLED_BACK, 1),
        (RunStatus.ROLLED_BACK_WITH_EXCEPTIONS, 1),
        (RunStatus.WAITING, 3),
        (RunStatus.PAUSED, 3),
        (RunStatus.INTERRUPTED, 3),
    ],
)
def test_every_end_of_a_run_has_its_code(status: RunStatus, code: int) -> None:
    assert exit_of_run(status) == code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (RunStatus.ROLLED_BACK, 0),
        (RunStatus.ROLLED_BACK_WITH_EXCEPTIONS, 7),
        (RunStatus.FAILED, 1),
    ],
)
def test_whoever_asked_for_a_rollback_is_told_how_that_went(status: RunStatus, code: int) -> None:
    assert exit_of_run(status, back=True) == code


def test_ctrl_c_is_told_apart_from_other_interruptions() -> None:
    assert exit_of_run(RunStatus.INTERRUPTED, ctrl_c=True) == 130


def test_a_run_that_succeeds_in_spite_of_ctrl_c_has_succeeded() -> None:
    assert exit_of_run(RunStatus.SUCCEEDED, ctrl_c=True) == 0


def test_hosts_that_cannot_be_reached_are_told_apart_from_failure() -> None:
    assert exit_of_run(RunStatus.FAILED, unreachable=True) == 4
