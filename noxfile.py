"""Verbs for who works on drrun: `nox -s fast`, `fix`, `all`, `docs`, `bench`, `coverage`.

Rules:
- `sh tests/run` is the one test command; the verbs only call it, in the `.venv` that it makes.
- `coverage` is a part of it, for whoever writes tests of the rules.
"""

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["fast"]
#: What the inner loop leaves out.
QUICK = "not lab and not slow"


@nox.session
def fast(session: nox.Session) -> None:
    """Style, types, layers, and every test that takes no seconds: before each commit."""
    session.run("sh", "tests/run", "-m", QUICK, *session.posargs, external=True)


@nox.session(name="all")
def everything(session: nox.Session) -> None:
    """What CI runs: before a change is proposed."""
    session.run("bash", ".ci/run", *session.posargs, external=True)


@nox.session
def fix(session: nox.Session) -> None:
    """Mend what can be mended by a program."""
    session.run(".venv/bin/ruff", "check", "--fix", ".", external=True)
    session.run(".venv/bin/ruff", "format", ".", external=True)
    session.run(".venv/bin/python", "docs/generate.py", external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """Write the reference from the code, and test all pages."""
    session.run(".venv/bin/python", "docs/generate.py", external=True)
    session.run(".venv/bin/pytest", "-q", "tests/docs", *session.posargs, external=True)


@nox.session
def coverage(session: nox.Session) -> None:
    """Show which branches of the rules their quick tests do not take."""
    tests = ("-m", "pytest", "-q", "-m", "not slow", "tests/unit/core")
    session.run(".venv/bin/coverage", "run", *tests, external=True)
    session.run(".venv/bin/coverage", "report", external=True)


@nox.session
def bench(session: nox.Session) -> None:
    """Count what a step costs; with arguments, those of benchmarks/side_by_side.py."""
    arguments = session.posargs or ["--row", "counts"]
    session.run(".venv/bin/python", "benchmarks/side_by_side.py", *arguments, external=True)
