"""Our dataclasses behave as the standard library's do."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from drrun.core import dataclass as ours
from drrun.core.dataclass import dataclass

KINDS = ("ours", "standard")


def decorated(kind: str, **options: bool) -> Callable[[type], Any]:
    """The decorator of that kind; type checkers need not follow."""
    made: Any = ours.dataclass if kind == "ours" else dataclasses.dataclass
    return made(slots=True, **options)  # type: ignore[no-any-return]


def point(kind: str, **options: bool) -> Any:
    class Point:
        """A point."""

        x: int
        y: int = 2
        tags: list[str] = field(default_factory=list)
        note: str = field(default="", compare=False, repr=False)
        seen: list[int] = field(default_factory=list, init=False)

        def moved(self) -> Any:
            return dataclasses.replace(self, x=self.x + 1)  # type: ignore[type-var]

    return decorated(kind, **options)(Point)


def told(act: Callable[[], object]) -> str:
    """What came of it: a value, or an error without the words that Python chose."""
    try:
        return repr(act())
    except (TypeError, AttributeError) as error:
        return type(error).__name__


ACTS: dict[str, Callable[[Any], object]] = {
    "positional": lambda point: point(1, 5, ["a"]),
    "by name": lambda point: point(x=1, tags=["t"]),
    "one is missing": lambda point: point(),
    "one too many": lambda point: point(1, 2, [], "", [], 9),
    "an unknown one": lambda point: point(1, z=3),
    "one not to be given": lambda point: point(1, seen=[3]),
    "a default of its own each": lambda point: point(1).tags is point(1).tags,
    "equal": lambda point: point(1, note="a") == point(1, note="b"),
    "not equal": lambda point: point(1) == point(2),
    "not equal to others": lambda point: point(1) == (1, 2),
    "set": lambda point: setattr(point(1), "x", 1),
    "delete": lambda point: delattr(point(1), "x"),
    "replaced": lambda point: point(1, note="n").moved().note,
    "matched": lambda point: point.__match_args__,
    "its fields": lambda point: [each.name for each in dataclasses.fields(point)],
    "as a mapping": lambda point: dataclasses.asdict(point(1)),
    "copied": lambda point: copy.copy(point(1)) == point(1),
    "copied whole": lambda point: copy.deepcopy(point(1, tags=["a"])).tags,
    "without slots for more": lambda point: hasattr(point(1), "__dict__"),
    "the name of the constructor": lambda point: point(1).__init__.__name__,
}


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_it_does_what_the_standard_one_does(act: Callable[[Any], object], frozen: bool) -> None:
    mine, standard = (point(kind, frozen=frozen) for kind in KINDS)
    assert told(lambda: act(mine)) == told(lambda: act(standard))
    assert told(lambda: act(mine)) == told(lambda: act(standard))  # compiled by now


@dataclass(frozen=True, slots=True)
class Place:
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Exact(Place):
    column: int = 0


@dataclass(frozen=True, slots=True)
class Nothing:
    pass


@dataclass(slots=True)
class Counter:
    count: int = 0
    doubled: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.doubled = 2 * self.count

    def __repr__(self) -> str:
        return "a counter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    first: int
    second: int = 2


def test_equal_ones_are_one_key() -> None:
    assert {Place("a", 1): "found"}[Place("a", 1)] == "found"
    assert len({Nothing(), Nothing()}) == 1


def test_one_that_changes_is_no_key() -> None:
    with pytest.raises(TypeError):
        hash(Counter())


def test_a_frozen_one_says_what_cannot_be_set() -> None:
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'line'"):
        Place("a", 1).line = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'other'"):
        Place("a", 1).other = 2  # type: ignore[attr-defined]


def test_a_class_of_another_kind_is_never_equal() -> None:
    assert Place("a", 1) != Exact("a", 1)
    assert Exact("a", 1, 3) == Exact("a", 1, 3)


def test_what_a_class_defines_itself_stays() -> None:
    assert (repr(Counter(4)), Counter(4).doubled) == ("a counter", 8)


def test_names_are_wanted_where_it_was_said() -> None:
    assert Named(first=1) == Named(second=2, first=1)
    with pytest.raises(TypeError):
        Named(1)  # type: ignore[call-arg]


def test_it_goes_through_a_pickle() -> None:
    assert pickle.loads(pickle.dumps(Exact("a", 1, 2))) == Exact("a", 1, 2)


def test_it_is_matched_by_position() -> None:
    match Exact("a", 1, 2):
        case Exact(file, line, column):
            assert (file, line, column) == ("a", 1, 2)


def test_without_slots_there_is_the_standard_one() -> None:
    without: Any = ours.dataclass
    with pytest.raises(TypeError, match=r"dataclasses\.dataclass"):
        without(slots=False)
