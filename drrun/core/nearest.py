"""Did you mean: the known name nearest to an unknown one."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, or None if none is near.

    Names that differ only in case, in `-` and `_`, or by a missing end, count as near.
    """
    from difflib import get_close_matches

    names = list(known)
    folded = _folded(word)
    for name in names:
        if _folded(name) == folded:
            return name
    # Distance is quadratic in the length; nobody means a name that is much longer or shorter.
    near = [name for name in names if abs(len(name) - len(word)) <= max(3, len(word) // 2)]
    found = get_close_matches(word[:80], near, n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence to append: `; did you mean 'verify'?`, `; known: a, b`, or nothing."""
    names = list(known)
    if not names:
        return "; none is declared"
    name = nearest(word, names)
    if name is not None:
        return f"; did you mean '{name}'?"
    if len(names) <= 12:
        return f"; known: {', '.join(names)}"
    return ""


def _folded(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(".", "")
