"""Runs one script over one channel of an open connection.

Rules:
- Not paramiko's or Fabric's `run`: those are quadratic in output, mirror the terminal, and take a
  lost status for -1 (facts L7 and L10).
- Nothing is executed before the last byte of the script arrived, so a fault up to then is provably
  without effect.
- Never a pty: it would kill the command with the link.
"""

import threading
from functools import partial

import paramiko  # noqa: TID253 - drrun.ssh owns paramiko, and is itself imported late

from drrun.core.model.outcomes import NeverStarted, Outcome
from drrun.engine.captured import CapturedOutput
from drrun.ports.clock import Cancel
from drrun.ports.places import Output, Script
from drrun.ssh.channels import ChannelLine, beside, session
from drrun.ssh.ending import END_WITHIN, HELPLESS, ender
from drrun.ssh.faults import DeadlineError, StoppedBeforeSending, after_sending, before_sending
from drrun.ssh.link import Link
from drrun.ssh.readers import reader_of
from drrun.ssh.script_session import ScriptSession
from drrun.ssh.wire import BadScript, launch


def run(link: Link, script: Script, output: Output, cancel: Cancel) -> Outcome:
    """Execute `script` to its end. Never raises for what the host does."""
    try:
        ready = launch(script)
        with session(link, cancel) as channel:
            _request(link, channel, ready.line, cancel)
            line = ChannelLine(link, channel)
            ways = ender(partial(_aside, link), script.execution.become)
            within = link.options.start_within
            who = partial(reader_of, link)
            talk = ScriptSession(line, ready, script, output, str(link.way), ways, within, who)
            return _converse(link, line, talk, cancel)
    except Exception as error:  # noqa: BLE001 - the door: every fault becomes an outcome
        if link.alive or isinstance(error, StoppedBeforeSending | BadScript):
            return before_sending(error, link.way)
        why = link.why or "the host ended the connection"
        return NeverStarted(f"{link.way}: {why}, before the command was sent")


def _request(link: Link, channel: paramiko.Channel, command: str, cancel: Cancel) -> None:
    """Have the login shell execute `command`, which still waits for its script."""
    with link.deadlines.limit(link.options.start_within, channel.close) as limit:
        try:
            channel.exec_command(command)
        except (paramiko.SSHException, OSError, EOFError) as error:
            if limit.passed:
                raise DeadlineError("it did not answer the request for a command") from error
            raise
    if cancel.is_set():
        raise StoppedBeforeSending


def _converse(link: Link, line: ChannelLine, talk: ScriptSession, cancel: Cancel) -> Outcome:
    """Send the script, and listen to its end. From here on no fault says that nothing happened."""
    try:
        line.ask(talk.launch.proof.question)
        return talk.listen(cancel)
    except Exception as error:  # noqa: BLE001 - the door: every fault becomes an outcome
        return after_sending(link.why or error, link.way)


def _aside(link: Link, script: Script) -> bytes:
    """Run a short script of our own beside what runs there; what it printed."""
    output, ready, never = CapturedOutput(), launch(script), threading.Event()
    with beside(link) as (other, channel), other.deadlines.limit(END_WITHIN, channel.close):
        _request(other, channel, ready.line, never)
        line = ChannelLine(other, channel)
        talk = ScriptSession(line, ready, script, output, str(other.way), HELPLESS, END_WITHIN)
        _converse(other, line, talk, never)
    return bytes(output.streams["stdout"])
