"""Whose last attempt used a value that nobody knows any more."""

from hypothesis import given
from hypothesis import strategies as st

from drrun.core.model.ids import StepId, TargetKey, TargetName
from drrun.core.state.secrecy import Secrecy

names, marks = st.sampled_from(["token", "key"]), st.sampled_from(["m1", "m2", "m3"])
keys = st.sampled_from([TargetKey(StepId(each), TargetName("db1")) for each in ("a", "b", "c")])
#: Values that are used from now on, or a target whose attempt is intended.
happened = st.lists(st.dictionaries(names, marks, min_size=1) | keys, max_size=12)


@given(happened, st.frozensets(marks))
def test_what_is_outdated_is_what_the_last_attempt_used_and_nobody_knows(
    events: list[dict[str, str] | TargetKey], known: frozenset[str]
) -> None:
    secrecy, now = Secrecy(), dict[str, str]()
    used: dict[TargetKey, dict[str, str]] = {}
    for event in events:
        if isinstance(event, dict):
            secrecy.use(event)
            now = event
        else:
            secrecy.intend(event)
            used[event] = now
    for key, values in used.items():
        left = {name: mark for name, mark in values.items() if mark not in known}
        assert secrecy.outdated(key, known) == left
    lost = {name for values in used.values() for name, m in values.items() if m not in known}
    assert lost <= set(secrecy.lost(known))


@given(st.dictionaries(names, marks), st.dictionaries(names, marks))
def test_what_changed_is_what_had_another_value(
    before: dict[str, str], after: dict[str, str]
) -> None:
    secrecy = Secrecy()
    secrecy.use(before)
    changed = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    assert set(secrecy.changed(after)) == changed
