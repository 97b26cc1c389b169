"""Actions: what a step does. Exactly one of run, manual, decision or a named action.

Rules:
- What a named action takes is data here (`BUILT_IN`), read by validation, by the JSON Schema and
  by the documentation; the code that executes it is elsewhere (`drrun.builtin`).
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, assert_never

from drrun.core.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class RunAction:
    """Shell text, executed on each target."""

    text: str


@dataclass(frozen=True, slots=True)
class ManualAction:
    """An instruction to a person."""

    text: str
    #: Answers that are wanted: name -> type (`str`, `int`, `float`, `bool`, `duration`).
    input: Mapping[str, str] = field(default_factory=dict)
    evidence: bool = False
    #: A contact of the inventory: a third party is waited for.
    contact: str = ""
    remind_after: str | None = None
    escalate_after: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionAction:
    """A choice between named options."""

    options: Mapping[str, Mapping[str, Any]]
    question: str = ""
    authority: str = ""
    default: str | None = None
    decide_by: str | None = None
    remind_after: str | None = None
    escalate_after: str | None = None


@dataclass(frozen=True, slots=True)
class UsesAction:
    """A named action with its arguments, templates not yet rendered."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


Action = RunAction | ManualAction | DecisionAction | UsesAction


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a named action."""

    #: `text`, `path`, `duration`, `mode`, `bool`, `number`, `probes`, `mapping`, `texts`, `any`.
    kind: str
    required: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class NamedAction:
    """Declaration of a named action."""

    about: str
    parameters: Mapping[str, Parameter]
    #: Of these, exactly one must be given.
    one_of: tuple[str, ...] = ()
    #: Whether it changes something, and so wants a verify.
    changes: bool = True


BUILT_IN: Mapping[str, NamedAction] = {
    "wait": NamedAction(
        "Wait for a duration, until probes hold, or as long as a DNS record may be cached.",
        {
            "for": Parameter("duration", about="how long"),
            "until": Parameter("probes", about="until all of these hold"),
            "ttl": Parameter("text", about="a DNS name: as long as its TTL says"),
            "server": Parameter("text", about="the server asked for the TTL"),
        },
        one_of=("for", "until", "ttl"),
        changes=False,
    ),
    "copy": NamedAction(
        "Copy a local file to the target: written aside, compared by SHA-256, then renamed.",
        {
            "source": Parameter("path", about="local file, relative to the runbook"),
            "content": Parameter("text", about="the content itself, instead of a source"),
            "to": Parameter("text", required=True, about="path on the target"),
            "mode": Parameter("mode", about="permissions, '0644'"),
            "owner": Parameter("text", about="user or user:group, needs become"),
        },
        one_of=("source", "content"),
    ),
    "template": NamedAction(
        "Render a local Jinja2 template and copy the result to the target.",
        {
            "source": Parameter("path", required=True, about="local template"),
            "to": Parameter("text", required=True, about="path on the target"),
            "mode": Parameter("mode", about="permissions, '0644'"),
            "owner": Parameter("text", about="user or user:group, needs become"),
            "vars": Parameter("mapping", about="more names for the template"),
        },
    ),
    "script": NamedAction(
        "Execute a local file on the target, with its own #! line.",
        {
            "source": Parameter("path", required=True, about="local file"),
            "args": Parameter("texts", about="arguments"),
        },
    ),
    "fetch": NamedAction(
        "Copy a file from the target to the controller, compared by SHA-256.",
        {
            "from": Parameter("text", required=True, about="file on the target"),
            "to": Parameter(
                "text",
                required=True,
                about="local path, below the runbook's folder or one named in `fetch_into` of "
                "drrun.yaml; 'folder/' keeps one folder a target",
            ),
        },
        changes=False,
    ),
    "rsync": NamedAction(
        "Make a folder like another, executed on the target; compared afterwards.",
        {
            "source": Parameter(
                "text",
                required=True,
                about="a path, or HOST:path; a host of the inventory is reached as that says",
            ),
            "to": Parameter("text", required=True, about="as source; one of them is a path"),
            "options": Parameter("texts", about="more options of rsync, '-essh -p 2222' as one"),
            "delete": Parameter("bool", about="remove what the source does not have"),
            "exclude": Parameter("texts", about="patterns"),
            "checksum": Parameter("bool", about="false: compare by size and time afterwards"),
        },
    ),
    "dns.update": NamedAction(
        "Make DNS records say exactly this, by dynamic update (RFC 2136) with TSIG.",
        {
            "zone": Parameter("text", required=True),
            "server": Parameter("text", required=True, about="the primary; address or name:port"),
            "records": Parameter("any", about="list of {name, type, ttl, data, was}"),
            "name": Parameter("text", about="of the one record, instead of records"),
            "type": Parameter("text", about="A if it is not given"),
            "ttl": Parameter("any", about="seconds or a duration; 300 if it is not given"),
            "data": Parameter("any", about="one text or several; [] removes the records"),
            "was": Parameter("any", about="refused unless they say this now; [] nothing"),
            "key": Parameter("text", about="TSIG: '[algorithm:]name:secret', from secrets"),
            "key_name": Parameter("text", about="where key is the secret alone"),
            "algorithm": Parameter("text", about="hmac-sha256 if it is not given"),
        },
        one_of=("records", "name"),
    ),
    "http.request": NamedAction(
        "Send one HTTP request; the answer's body is the step's output.",
        {
            "url": Parameter("text", required=True),
            "method": Parameter("text", about="GET if it is not given"),
            "headers": Parameter("mapping"),
            "body": Parameter("any", about="text as it is, anything else as JSON"),
            "status": Parameter("any", about="expected status, one or several; 200 to 299"),
            "address": Parameter("text", about="connect there, ask for the URL's host"),
            "ca": Parameter("text", about="local file: the authority that signed its certificate"),
            "insecure": Parameter("bool", about="do not verify its certificate"),
        },
    ),
    "notify": NamedAction(
        "Tell people, by the ways under notify in drrun.yaml or a webhook named here.",
        {
            "message": Parameter("text", required=True),
            "subject": Parameter("text"),
            "to": Parameter("any", about="for whom it is: a name or several"),
            "url": Parameter("text", about="a webhook, instead of the ways of the settings"),
        },
        changes=False,
    ),
    "runbook": NamedAction(
        "Execute another runbook as part of this one: its steps become steps of this run.",
        {
            "file": Parameter("path", required=True, about="below the main runbook's folder"),
            "inputs": Parameter("mapping", about="values for its inputs; may use inputs and vars"),
        },
        changes=False,
    ),
    "set_route": NamedAction(
        "Choose the route by which a host is reached, from now on; `auto` takes it back.",
        {
            "host": Parameter("text", about="the host; the step's target if it is not given"),
            "route": Parameter("text", required=True, about="name or address of the route"),
        },
        changes=False,
    ),
    "fact": NamedAction(
        "Ask a probe and record what it saw.",
        {
            "probe": Parameter("any", required=True, about="what is asked"),
            "name": Parameter("text", about="later it is steps.ID.NAME; `value` if not given"),
        },
        changes=False,
    ),
}


def changes(action: Action) -> bool:
    """Whether an action changes something; shell text may."""
    match action:
        case RunAction():
            return True
        case UsesAction():
            return BUILT_IN[action.name].changes
        case ManualAction() | DecisionAction():
            return False
        case _:
            assert_never(action)
