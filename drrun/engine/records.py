"""Where runs are kept, and the two sources of what is not determined."""

from drrun.core.dataclass import dataclass
from drrun.core.model.seat import Seat
from drrun.ports.clock import Clock, Ids
from drrun.ports.credentials import Seals
from drrun.ports.journal import EvidenceStore, Folds, Inbox, Journal, Leases, Notebook, Shelf
from drrun.ports.places import Spool


@dataclass(frozen=True, slots=True)
class Records:
    """Where runs are kept, and the two sources of what is not determined."""

    journal: Journal
    leases: Leases
    inbox: Inbox
    spool: Spool
    clock: Clock
    ids: Ids
    #: None where nothing is kept on disk.
    evidence: EvidenceStore | None = None
    notebook: Notebook | None = None
    shelf: Shelf | None = None
    folds: Folds | None = None
    seals: Seals | None = None
    #: Where this process is used from; None where nobody sits.
    seat: Seat | None = None
