"""A mapping whose values are made when somebody asks for them.

Rules:
- Its names are known from the start, so that an unknown one is still an error.
- A value is made once; the same mapping gives the same value.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any


class Lazily(Mapping[str, Any]):
    """Names with values to come. A template uses it as it would a dict."""

    def __init__(self, names: Mapping[str, object], make: Callable[[str], Any]) -> None:
        """Make nothing yet.

        Args:
            names: What may be asked for; only its keys are used.
            make: Makes the value of a name.
        """
        self._names = names
        self._make = make
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name in self._made:
            return self._made[name]
        if name not in self._names:
            raise KeyError(name)
        self._made[name] = made = self._make(name)
        return made

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(dict(self))
