"""Named actions that act. What each takes is declared in `drrun.core.model.actions`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from drrun.builtin.actions.copying import Copy, Template
from drrun.builtin.actions.dns_updates import UpdateDns
from drrun.builtin.actions.fact_action import FactAction
from drrun.builtin.actions.fetching import Fetch
from drrun.builtin.actions.http_requests import SendRequest
from drrun.builtin.actions.scripts import RunScript
from drrun.builtin.actions.syncing import Rsync
from drrun.builtin.actions.telling import Notify
from drrun.builtin.actions.wait import WaitForTtl
from drrun.core.model.inventory import Host
from drrun.engine.notifying import Notifier
from drrun.ports.places import BuiltInAction, Prober, Renderer


def actions(
    renderer: Renderer,
    prober: Prober,
    hosts: Mapping[str, Host],
    ways: Sequence[Notifier] = (),
    fetch_into: Sequence[Path] = (),
) -> Mapping[str, BuiltInAction]:
    """The actions by name. `wait` is here for TTLs only; the engine itself waits.

    Args:
        renderer: For templates.
        prober: For facts.
        hosts: Of the inventory, for what acts between two of them.
        ways: How people are told.
        fetch_into: Folders besides the runbook's own that files may be fetched into.
    """
    return {
        "copy": Copy(),
        "template": Template(renderer),
        "script": RunScript(),
        "fetch": Fetch(fetch_into),
        "rsync": Rsync(hosts),
        "dns.update": UpdateDns(),
        "http.request": SendRequest(),
        "notify": Notify(ways),
        "fact": FactAction(prober),
        "wait": WaitForTtl(),
    }


def reading_actions(
    renderer: Renderer, prober: Prober, hosts: Mapping[str, Host]
) -> Mapping[str, BuiltInAction]:
    """What a dry-run executes: it only reads."""
    return {
        "copy": Copy(dry=True),
        "template": Template(renderer, dry=True),
        "rsync": Rsync(hosts, dry=True),
        "dns.update": UpdateDns(dry=True),
        "fact": FactAction(prober),
    }
