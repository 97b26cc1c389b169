"""Secrets and signatures."""

from collections.abc import Sequence
from typing import Protocol

from drrun.core.integrity.masking import Mask
from drrun.core.model.ids import RunId
from drrun.ports.journal import Unsealed


class Signatures(Protocol):
    """Checks who signed what."""

    def is_good(self, text: str, signature: str, who: str) -> bool:
        """Whether `who` signed `text`."""
        ...


class Seals(Protocol):
    """Marks values without keeping them, and closes what only such a value opens."""

    def mark(self, run: RunId, name: str, value: str) -> str:
        """The mark of a secret's value in a run.

        The same value has the same mark there; finding the value by its mark is expensive, and
        impossible without the key, which never leaves the state.
        """
        ...

    def unseal(self, run: RunId, values: Sequence[tuple[str, str]], mask: Mask) -> Unsealed:
        """Open what was closed, where `values` has all that is needed, and keep it masked.

        Args:
            run: Whose outputs.
            values: Names of secrets, each with a value that it had when it was used.
            mask: Hides them.

        Raises:
            InputError: A value is none that anything was closed with.
        """
        ...


class Secrets(Protocol):
    """Finds secrets when they are used."""

    def resolve(self, name: str) -> str:
        """The secret's value.

        Raises:
            NotReady: It is missing, empty or cannot be read.
        """
        ...
