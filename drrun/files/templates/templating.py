"""Templates: filling in text, values and conditions. Implements the engine's `Renderer`.

Rules:
- In shell text no value is written: the script begins with variables that hold them, and its text
  refers to these (`shell_reader`); `| raw` opts out.
- `steps.ID` works for ids with hyphens: `steps.freeze-writes.lag` is one name, not a difference.
- Whatever goes wrong in a template is the author's mistake, told in plain words, never a crash.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from drrun.core.lazily import Lazily
from drrun.core.model.errors import DrrunError, InputError
from drrun.files.yaml.written import shortened

_BRACES: Final = ("{{", "{%")


def has_template(text: str) -> bool:
    """Whether there is anything to fill in."""
    return any(brace in text for brace in _BRACES)


class Templates:
    """Fills in templates and evaluates conditions."""

    def text(self, template: str, names: Mapping[str, Any], *, shell: bool = False) -> str:
        """Render one template; with `shell`, values become variables of the script.

        Raises:
            InputError: A name is undefined, or the template is wrong.
        """
        if not has_template(template):
            return template
        render = _guarded(_compiled_shell if shell else _compiled, template)
        return str(_guarded(render, dict(names), about=template))

    def value(self, value: Any, names: Mapping[str, Any]) -> Any:
        """Render every text inside a structure; a lone `{{ x }}` keeps the type of x.

        Raises:
            InputError: A name is undefined, or a template is wrong.
        """
        match value:
            case str():
                return self._one(value, names)
            case list():
                return [self.value(each, names) for each in value]
            case tuple() if type(value) is tuple:
                return tuple(self.value(each, names) for each in value)
            case dict():
                return {name: self.value(each, names) for name, each in value.items()}
            case _:
                return value

    def condition(self, expression: str, names: Mapping[str, Any]) -> bool:
        """Evaluate an expression to true or false; braces around it are allowed.

        Raises:
            InputError: A name is undefined, or the expression is wrong.
        """
        evaluate = _guarded(_expression, expression)
        value = _guarded(evaluate, dict(names), about=expression)
        # A value given as text: `-e dry=false` must not count as true.
        return value not in ("false", "") if isinstance(value, str) else bool(value)

    def seen(self, expression: str, names: Mapping[str, Any]) -> Mapping[str, str]:
        """What the names in an expression stand for, secrets left out: `steps.a.lag` -> `300`."""
        from drrun.files.templates.sandbox import plain
        from drrun.files.templates.template_names import uses_of

        found: dict[str, str] = {}
        for use in uses_of(expression, expression=True).names:
            value: Any = names
            for name in (use.root, *use.path):
                value = value.get(name) if isinstance(value, Mapping) else None
            if value is not None and use.root != "secrets":
                shown = shortened(value) if isinstance(value, str) else plain(value)
                found[".".join((use.root, *use.path))] = shown
        return found

    def told_by_steps(self, template: str) -> bool:
        """Whether a template uses what other steps captured or were told."""
        from drrun.files.templates.template_names import told_by_steps

        return told_by_steps(template)

    def _one(self, text: str, names: Mapping[str, Any]) -> Any:
        if not has_template(text):
            return text
        if _guarded(_is_lone, text):
            return _guarded(_guarded(_expression, text), dict(names), about=text)
        return self.text(text, names)


def _guarded(act: Callable[..., Any], *arguments: Any, about: str = "") -> Any:
    """Call `act`; whatever a template does wrong becomes an InputError about it."""
    try:
        return act(*arguments)
    except DrrunError:
        raise
    except RecursionError:
        raise InputError("a template is nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - expressions raise anything: 1/0, 'a' + 1
        text = about or str(arguments[0])
        message = getattr(error, "message", None) or str(error) or type(error).__name__
        raise InputError(f"template {shortened(text)}: {message}") from None


@lru_cache(maxsize=2000)
def _compiled(template: str) -> Callable[..., str]:
    from drrun.files.templates.template_source import prepare

    render: Callable[..., str] = _environment().from_string(prepare(template)).render
    return render


@lru_cache(maxsize=2000)
def _compiled_shell(template: str) -> Callable[..., str]:
    from drrun.files.templates.sandbox import HELD, Held
    from drrun.files.templates.template_source import prepare_shell

    compiled = _environment().from_string(prepare_shell(template))

    def render(names: Mapping[str, Any]) -> str:
        held = Held()
        text: str = compiled.render({**names, HELD: held})
        return held.beginning() + text

    return render


@lru_cache(maxsize=2000)
def _expression(expression: str) -> Callable[..., Any]:
    from drrun.files.templates.sandbox import Unknown
    from drrun.files.templates.template_source import lone_expression

    compiled = _environment().compile_expression(
        lone_expression(expression), undefined_to_none=False
    )

    def evaluate(names: Mapping[str, Any]) -> Any:
        value = compiled(names)
        if isinstance(value, Unknown):
            str(value)  # raises, and says which name is not known
        return dict(value) if isinstance(value, Lazily) else value

    return evaluate


@lru_cache(maxsize=2000)
def _is_lone(text: str) -> bool:
    from drrun.files.templates.template_source import is_lone

    return is_lone(text)


@lru_cache(maxsize=1)
def _environment() -> Any:
    from drrun.files.templates.sandbox import Environment, plain

    return Environment(plain)
