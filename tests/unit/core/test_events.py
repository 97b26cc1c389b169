"""Events go into the journal and come back."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

from drrun.core import events as ev
from drrun.core.events.base import EventBase


def defined() -> Iterator[type[EventBase]]:
    """Every event of every module, but those of `base` that others derive from."""
    for module in pkgutil.iter_modules(ev.__path__, f"{ev.__name__}."):
        if not module.name.endswith(".base"):
            found = vars(importlib.import_module(module.name)).values()
            own = (each for each in found if getattr(each, "__module__", "") == module.name)
            yield from (
                each for each in own if isinstance(each, type) and issubclass(each, EventBase)
            )


def test_the_journal_knows_every_event_and_nothing_else() -> None:
    assert dict(ev.KINDS) == {each.__name__: each for each in defined()}


def test_an_event_comes_back_as_it_was() -> None:
    noted = ev.Noted(text="called the provider", by="drew")
    assert ev.event_of(ev.kind_of(noted), ev.body_of(noted)) == noted


def test_what_a_newer_drrun_wrote_is_not_guessed_at() -> None:
    with pytest.raises(KeyError):
        ev.event_of("NotYetKnown", {})
