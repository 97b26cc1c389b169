"""Whether data survives: backups, what they are lost together with, and who puts them back.

Rules:
- A backup counts if it lies outside of what its store is lost with: another site, of another
  provider (OVH 2021: the backup burned beside the server; SourceHut 2024: pages had none).
"""

from collections.abc import Iterator

from drrun.core.model.errors import Finding
from drrun.core.model.inventory import Backup, Store
from drrun.lint.subject import Subject, advice, doubt


def uncovered(subject: Subject) -> Iterator[Finding]:
    """Stores without any backup."""
    for store in subject.inventory.stores.values():
        if store.backups:
            continue
        message = f"stores.{store.name}: has no backup outside its failure domain, and none within"
        yield from _said(subject, store, message, "uncovered-store")


def one_domain(subject: Subject) -> Iterator[Finding]:
    """Stores all of whose backups are lost together with them."""
    for store in subject.inventory.stores.values():
        if not store.backups or any(_apart(subject, store, each) for each in store.backups):
            continue
        where = ", ".join(sorted({backup.domain or backup.to for backup in store.backups}))
        message = f"stores.{store.name}: every backup is lost together with it ({where})"
        yield from _said(subject, store, message, "shared-domain")


def unrestored(subject: Subject) -> Iterator[Finding]:
    """Stores of this runbook's services that no step restores."""
    runbook = subject.runbook
    restored = {name for step in runbook.steps.values() for name in step.restores}
    # A runbook that restores nothing moves what lives; then data is not its subject.
    if not restored:
        return
    for service in runbook.services.values():
        for name in service.stores:
            if name not in restored and name in subject.inventory.stores:
                message = (
                    f"services.{service.name}: needs the store '{name}', and no step restores it"
                )
                yield doubt(service.place, message, "unrestored-store")


def expired_waivers(subject: Subject) -> Iterator[Finding]:
    """Waivers whose day is over: what they accepted is a finding again."""
    for store in subject.inventory.stores.values():
        if store.waiver is not None and subject.is_over(store.waiver):
            message = f"stores.{store.name}.waiver: was for {store.waiver['expires']}, and is over"
            yield doubt(store.place, message, "expired-waiver")
    for waiver in subject.runbook.waivers:
        if subject.is_over(waiver):
            message = f"waivers: {waiver['rule']} was for {waiver['expires']}, and is over"
            yield doubt(waiver["place"], message, "expired-waiver")


def _said(subject: Subject, store: Store, message: str, code: str) -> Iterator[Finding]:
    """The finding; where somebody accepted it, only a note that says who, why and until when."""
    waiver = store.waiver
    if waiver is None or subject.is_over(waiver):
        yield doubt(store.place, message, code)
        return
    who = waiver.get("owner") or store.owner or "nobody named"
    until = f", until {waiver['expires']}" if waiver.get("expires") else ""
    yield advice(store.place, f"{message}; accepted by {who}{until}: {waiver['reason']}", code)


def _apart(subject: Subject, store: Store, backup: Backup) -> bool:
    """Whether a backup survives what takes its store."""
    hosts, sites = subject.inventory.hosts, subject.inventory.sites
    own = {hosts[name].site for name in store.on if name in hosts}
    site = hosts[backup.to].site if backup.to in hosts else ""
    if backup.domain in own or site in own:
        return False
    providers = {sites[name].provider for name in own if name in sites} - {""}
    theirs = {sites[name].provider for name in (site, backup.domain) if name in sites}
    return not (theirs & providers) and backup.domain not in providers
