"""How shell text executes: as whom, where, with which shell and environment."""

from collections.abc import Mapping
from dataclasses import field

from drrun.core.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Execution:
    """How `run` executes."""

    shell: str = "sh"
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    become: str | None = None
    chdir: str | None = None
    stdin: str | None = field(default=None, repr=False)
