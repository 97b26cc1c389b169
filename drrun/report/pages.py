"""What all HTML pages have in common: how templates are read, and the geometry of a time axis."""

from collections.abc import Callable, Mapping
from typing import Any

from drrun.report.clean import clean

#: Moments on an axis.
_TICKS = 6
#: Per cent of the axis that a bar has at least, so that it is seen.
_SEEN = 0.15


def template(name: str, package: str, filters: Mapping[str, Callable[..., object]]) -> Any:
    """A template of a package's folder `pages`; it may include those of the report's page.

    Args:
        name: Of the file.
        package: Whose it is.
        filters: Beside `clean`, which makes visible what would reorder or hide text.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    packages = dict.fromkeys((package, "drrun.report.after"))
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(each, "pages") for each in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({"clean": lambda text: clean(str(text)), **filters})
    return environment.get_template(name)


def place(began: float, ended: float, length: float) -> tuple[float, float]:
    """Where a bar begins on an axis of some length, and how wide it is, in per cent."""
    left = 100 * began / length
    width = min(max(_SEEN, 100 * (ended - began) / length), 100 - left)
    return round(left, 3), round(width, 3)


def ticks(length: float, tell: Callable[[float], str]) -> tuple[tuple[float, str], ...]:
    """Moments on the axis: per cent, and what is written there."""
    return tuple(
        (round(100 * number / _TICKS, 2), tell(length * number / _TICKS))
        for number in range(_TICKS + 1)
    )
