"""The parts of a step that are small records of their own, needs and retry among them."""

from collections.abc import Mapping
from typing import Any, Final

from drrun.core.model.ids import StepId
from drrun.core.model.runbook import Capture, Estimate, Level, Need, Retry, RetryCause
from drrun.core.model.values import Duration, Share
from drrun.core.rules.capturing import AS
from drrun.files.yaml.scalars import (
    Number,
    boolean,
    choice,
    duration,
    expiry,
    identifier,
    one_of,
    pattern,
    share,
    slug,
    text,
)
from drrun.files.yaml.shape import (
    WRONG,
    ByForm,
    Converted,
    Definitions,
    ListOf,
    MappingOf,
    Reading,
    RecordKey,
    RecordShape,
    Schema,
    Shape,
    Wrong,
)
from drrun.files.yaml.written import Table, Written

#: What every step answers to in templates; a capture may not take these names.
OUTCOME: Final = ("exit", "stdout", "stderr", "state", "option")


def _mapping(values: dict[str, Any], _: Table, __: Reading) -> dict[str, Any]:
    return values


_any_of: RecordShape[Need] = RecordShape(
    "any-of",
    {
        "any_of": RecordKey(
            ListOf(slug, or_one=True, least=1), "one of them is enough", required=True
        )
    },
    lambda values, _, __: Need(tuple(StepId(name) for name in values["any_of"])),
)
_need: Shape[Need] = ByForm(
    word=Converted(slug, lambda name: Need((StepId(name),))), table=_any_of
)
needs: Shape[tuple[Need, ...]] = ListOf(_need, or_one=True, or_mapping=True)


def _estimate(values: dict[str, Any], table: Table, reading: Reading) -> Estimate | Wrong:
    made = Estimate(values["p50"], values.get("p90", values["p50"]))
    if made.p90 < made.p50:
        return reading.wrong(table, f"p90 {made.p90} is less than p50 {made.p50}")
    return made


def _one_estimate(length: Duration) -> Estimate:
    return Estimate(length, length)


estimate: Shape[Estimate] = ByForm(
    word=Converted(duration, _one_estimate),
    table=RecordShape(
        "estimate",
        {
            "p50": RecordKey(duration, "the middle", required=True),
            "p90": RecordKey(duration, "a bad case: nine of ten are faster; else as `p50`"),
        },
        _estimate,
    ),
)

_attempts = Number(1, 1000)
retry: Shape[Retry] = ByForm(
    word=Converted(_attempts, lambda attempts: Retry(attempts=attempts)),
    table=RecordShape(
        "retry",
        {
            "attempts": RecordKey(
                _attempts, "how many tries at most, the first included", default=1
            ),
            "delay": RecordKey(duration, "before the second try", default="1s"),
            "backoff": RecordKey(
                Number(1, 100, whole=False), "factor by which the delay grows", default=2.0
            ),
            "max_delay": RecordKey(duration, "the delay grows no further", default="5m"),
            "jitter": RecordKey(duration, "largest random addition", default="0s"),
            "on": RecordKey(
                ListOf(choice(RetryCause), or_one=True),
                "what a retry may follow on",
                default=[str(cause) for cause in RetryCause],
            ),
        },
        lambda values, _, __: Retry(**values),
    ),
)


def _not_nothing(part: Share) -> Share:
    if part.amount <= 0:
        raise ValueError("a batch of 0 targets never ends: at least 1")
    return part


batch: Shape[tuple[Share, ...]] = ListOf(Converted(share, _not_nothing), or_one=True, least=1)


class _Captures(MappingOf[Capture]):
    """Captures by name."""

    def read(self, written: Written, reading: Reading) -> Any:
        """The captures; names that every step has already are refused."""
        found = super().read(written, reading)
        if found is WRONG:
            return WRONG
        for name in [name for name in found if name in OUTCOME]:
            reading.wrong(
                written, f"'{name}' is a name that every step has already: choose another one"
            )
            del found[name]
        return tuple(found.values())


def _capture(values: dict[str, Any], table: Table, reading: Reading) -> Capture | Wrong:
    if "regex" in values and "json" in values:
        return reading.wrong(table, "has regex and json: one of them")
    return Capture(name=reading.path[-1], **values)


class _Source(Shape[Capture]):
    """The whole of one stream."""

    expects = "stdout, stderr or {from, regex, json}"
    _source = one_of("stdout", "stderr")

    def read(self, written: Written, reading: Reading) -> Capture | Wrong:
        """A capture without a filter."""
        source = self._source.read(written, reading)
        return WRONG if source is WRONG else Capture(reading.path[-1], source)

    def schema(self, definitions: Definitions) -> Schema:
        """The two streams."""
        return self._source.schema(definitions)


captures = _Captures(
    ByForm(
        word=_Source(),
        table=RecordShape(
            "capture",
            {
                "from": RecordKey(
                    one_of("stdout", "stderr"), "of which stream", into="source", default="stdout"
                ),
                "regex": RecordKey(
                    pattern, "the first group of its first match, or all of that match"
                ),
                "json": RecordKey(text, "path into a JSON answer, a.b"),
                "as": RecordKey(
                    one_of(*AS),
                    "its type; a value of another type fails the step",
                    into="type",
                ),
            },
            _capture,
        ),
    ),
    name=identifier,
)
levels: Shape[dict[str, Level]] = MappingOf(choice(Level), name=slug, what="service")
approval: Shape[Mapping[str, Any]] = ByForm(
    word=Converted(text, lambda role: {"role": role}),
    table=RecordShape(
        "approval",
        {
            "role": RecordKey(text, "who may approve", required=True),
            "count": RecordKey(Number(1, 20), "how many different persons", default=1),
            "when": RecordKey(
                text,
                "expression; false: nobody is asked. It is looked at again while people are asked",
            ),
            "message": RecordKey(text, "what they are asked"),
            "type_to_confirm": RecordKey(text, "what must be typed: '{{ host }}'"),
            "remind_after": RecordKey(duration, "tell them again, each time so much later"),
            "escalate_after": RecordKey(duration, "tell more people"),
            "signed": RecordKey(
                boolean,
                "true: only an approval signed with the person's SSH key counts",
                default=False,
            ),
        },
        _mapping,
    ),
)
workaround: Shape[Mapping[str, Any]] = ByForm(
    word=Converted(text, lambda reason: {"reason": reason}),
    table=RecordShape(
        "workaround",
        {
            "reason": RecordKey(text, "why it replaces the right way", required=True),
            "expires": RecordKey(expiry, "until when it may stay: 30d, or a date"),
            "owner": RecordKey(text, "who removes it"),
        },
        _mapping,
    ),
)
