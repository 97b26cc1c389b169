"""The one place where errors become messages and exit codes."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from drrun.cli.context import CommandContext, quiet_libraries
from drrun.cli.exit import Exit, exit_of_error
from drrun.cli.foreign import OPTION_HINTS
from drrun.cli.out import ReaderGone, say
from drrun.core.dataclass import dataclass
from drrun.core.model.errors import DrrunError, InputError
from drrun.report.clean import clean


@dataclass(slots=True)
class CommandEnding:
    """How a command ended."""

    code: int = Exit.DONE


@contextmanager
def ending(frame: CommandContext) -> Iterator[CommandEnding]:
    """Execute a command inside; afterwards the exit code is known, whatever happened."""
    end = CommandEnding()
    quiet_libraries()
    try:
        yield end
        end.code = frame.code
    except click.ClickException as error:
        say(_usage(error))
        end.code = Exit.INVALID
    except (click.Abort, KeyboardInterrupt):
        say("drrun: interrupted; nothing more was begun")
        end.code = Exit.INTERRUPTED
    except click.exceptions.Exit as wanted:
        end.code = wanted.exit_code
    except ReaderGone:
        end.code = Exit.DONE
    except DrrunError as error:
        say(message(error))
        end.code = exit_of_error(error)
    except Exception as error:  # noqa: BLE001 - the last door: no traceback reaches a user
        say(_unforeseen(error, frame))
        end.code = Exit.FAILED


def message(error: DrrunError) -> str:
    """What a user is told; findings stand on lines of their own, so that editors jump to them."""
    if isinstance(error, InputError) and any(each.place.line for each in error.findings):
        return clean("\n".join(str(each) for each in error.findings))
    return "\n".join(f"drrun: {line}" for line in clean(str(error)).splitlines())


def _usage(error: click.ClickException) -> str:
    told = error.format_message()
    if isinstance(error, click.NoSuchOption) and error.option_name in OPTION_HINTS:
        told = (
            f"No such option: {error.option_name}. Here it is: {OPTION_HINTS[error.option_name]}"
        )
    context = getattr(error, "ctx", None)
    if context is None or told.startswith("Usage:"):  # no arguments: the message is the help page
        return told if told.startswith("Usage:") else f"drrun: {told}"
    return f"{context.get_usage()}\ndrrun: {told}\nSee: {context.command_path} --help"


def _unforeseen(error: Exception, frame: CommandContext) -> str:
    where = "the traceback could not be written to the log"
    with suppress(Exception):  # a fault of the settings or the disk must not hide the first one
        where = f"the traceback is in {log_crash(error, frame.settings().log)}"
    kind = type(error).__name__
    first = clean(str(error)).splitlines()[:1]
    what = f"{kind}: {first[0]}" if first else kind
    return (
        f"drrun: this is a bug in drrun ({what}); {where}.\n"
        "drrun: runs are safe in their journal: look with `drrun history`, continue with `drrun "
        "resume RUN`, and please report the traceback."
    )


def log_crash(error: BaseException, path: Path) -> Path:
    """Write a traceback to the log file; its path."""
    from drrun.cli.logbook import open_log

    log = open_log(path)
    log.error("unforeseen", exc_info=error)
    return path
