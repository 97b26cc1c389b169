"""Shell texts with values in them, and what they must print: a grammar, and shells to ask.

Rules:
- `Grammar.command` writes a text of nested contexts and says what it prints for given values.
- bash 5.2 loses a `;` that stands behind a here-document inside `$(…)`: there is none in them.
- `executed` runs many texts in one process of a shell, each in a subshell of its own, and says
  what every one printed and which canaries were left.
"""

import os
import random
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

#: Name -> how it is started.
SHELLS: Mapping[str, Sequence[str]] = {
    "dash": ("dash",),
    "bash": ("bash",),
    "bash --posix": ("bash", "--posix"),
    "busybox sh": ("busybox", "sh"),
    "zsh as sh": ("bash", "-c", 'exec -a sh zsh "$@"', "sh"),
    "zsh": ("zsh", "-f"),
}
BASHLIKE = frozenset({"bash", "bash --posix", "zsh"})
#: What hostile values are made of; `@` is the canary.
ATOMS = [
    "'", '"', "\\", "$", "`", ";", "&", "|", "(", ")", "{", "}", "<", ">", "#", "!", "*", "?",
    "~", "%", "[", "]", "=", "-", " ", "  ", "\t", "\n", "\r", "\x01", "\x7f", "ā", "€", "\udc81",
    "a", "-n", "$(: >@)", "`: >@`", "; : >@ ;", "\n: >@\n", "' ; : >@ ; '", '" ; : >@ ; "', "EOF",
    "\nEOF\n", "\nEOF) ; : >@; (:\n", "EOF) ; : >@; (:", "EOF`: >@`", "a[$(: >@)]", "x[$(: >@)]",
    "}; : >@; {", ")); : >@; ((", "]]; : >@; [[", "esac; : >@", "${x:-$(: >@)}",
    "$((x[$(: >@)]))", "\\\n", "|| : >@ ||", "& : >@ &", "done; : >@", "<(: >@)", "\\'; : >@ #",
    "${drrun_x}", "\\$(: >@)", "!!",
]  # fmt: skip
#: What quotes and brackets that do not match are made of.
PIECES = [
    "'", '"', "$", "`", "\\", "(", ")", "{", "}", "#", "$(", "${", "${a:-", "$'", ";", "))",
    "<<E1\n", "\nE1\n", "<<'E1'\n", "\nE1)\n", "<<-E1\n", "case a in ", "a) ", "esac", "\n", " ",
    "=", "a=(", "[", "]", "~", "!", "[[ ", " ]]", "&&", "|", "<(", ">", "&", "{{ x }}", "do ",
    "done", "fi\n", "a[", "let ", "(( ", "export ", "unset ", "printf %d ", "exit ", "read ",
    ">&", "SECONDS=",
]  # fmt: skip
NUMBERS = ["0", "7", "-3", "123456789012345678"]
#: Text beside values; it means itself between double quotes.
BESIDE = ["", "", "", "a", "-", "é", "x=", ":", ".", "a b", "%s", "'"]


@dataclass
class Text:
    """A template, and what it prints, where `{{ x }}` and `{{ n }}` stand for themselves."""

    template: str
    prints: str

    def printed(self, x: str, n: str) -> bytes:
        """What it prints for these values."""
        values = {"x": x, "n": str(int(n) + 1)}
        found = re.sub(r"\{\{ (\w) \}\}", lambda name: values[name[1]], self.prints)
        return found.encode("utf-8", "surrogateescape")


@dataclass
class Grammar:
    """Writes texts for one kind of shell."""

    chance: random.Random
    shell: str
    #: Whether functions may be defined: a damaged one could call itself without an end.
    functions: bool = True
    _names: int = field(default=0)

    def command(self, depth: int) -> Text:
        """One command, or several, that end with a line's end."""
        simple = [
            self._argument, self._variable, self._document, self._document, self._chosen,
            self._looped, self._exported, self._commented, self._computed,
        ]  # fmt: skip
        if self.shell in BASHLIKE:
            simple += [self._compared, self._here_string, self._array, self._ansi]
        nested = [
            self._substituted, self._quoted, self._piped, self._grouped, self._conditional,
            self._in_document, self._in_case, self._both, self._in_backticks,
        ]  # fmt: skip
        if self.shell in BASHLIKE:
            nested.append(self._process)
        if self.functions:
            simple.append(self._called)
            nested.append(self._function)
        if depth <= 0 or self.chance.random() < 0.15:
            return self.chance.choice(simple)()
        return self.chance.choice(nested)(self.command(depth - 1))

    def value(self, canary: str) -> str:
        """A hostile value."""
        count = self.chance.randint(1, 4)
        text = "".join(self.chance.choice(ATOMS) for _ in range(count))
        return text.replace("@", canary)

    def damaged(self, text: str) -> str:
        """The text with pieces taken out and put in, so that its quotes mean something else."""
        parts = re.split(r"(\{\{ \w \}\}|\w+|\s|.)", text)
        parts = [part for part in parts if part and self.chance.random() > 0.04]
        for _ in range(self.chance.randint(0, 3)):
            parts.insert(self.chance.randint(0, len(parts)), self.chance.choice(PIECES))
        return "".join(parts)

    def _new(self) -> str:
        self._names += 1
        return f"E{self._names}"

    def _word(self) -> Text:
        """A word that is the value with text beside it."""
        before, after = self.chance.choice(BESIDE), self.chance.choice(BESIDE)
        form = self.chance.randrange(4)
        if form == 0:
            quoted = [before.replace("'", '"\'"').replace(" ", "\\ ")]
            quoted.append(after.replace("'", '"\'"').replace(" ", "\\ "))
            text = f"{quoted[0]}{{{{ x }}}}{quoted[1]}"
        elif form == 1:
            text = f'"{before}{{{{ x }}}}{after}"'
        elif form == 2:
            before, after = before.replace("'", '"'), after.replace("'", "$z`")
            text = f"'{before}{{{{ x }}}}{after}'"
        else:
            text = f'"{before}"\'{{{{ x }}}}\'"{after}"'
        return Text(text, f"{before}{{{{ x }}}}{after}")

    def _argument(self) -> Text:
        word = self._word()
        return Text(f"put {word.template}\n", word.prints)

    def _variable(self) -> Text:
        word = self._word()
        return Text(f'v={word.template}\nput "$v"\n', word.prints)

    def _exported(self) -> Text:
        word = self._word()
        return Text(f'export v={word.template}\nput "$v"\n', word.prints)

    def _chosen(self) -> Text:
        word = self._word()
        text = f"case {word.template} in\n  ({word.template}) put yes;; *) put no ;; esac\n"
        return Text(text, "yes")

    def _called(self) -> Text:
        word = self._word()
        text = f'f() {{ put "$1"; }}\nf {word.template} # it\'s {{{{ x }}}}\n'
        return Text(text, word.prints)

    def _looped(self) -> Text:
        word = self._word()
        return Text(f'for w in {word.template} ; do put "$w"; done\n', word.prints)

    def _commented(self) -> Text:
        word = self._word()
        text = f"# don't \"{{{{ x }}}} `\nput {word.template} # $( {{{{ x }}}}\n"
        return Text(text, word.prints)

    def _computed(self) -> Text:
        text = self.chance.choice(
            ["put $(( {{ n }} + 1 ))\n", 'put "$((1+{{ n }}))"\n', "v=$((({{ n }})+1))\nput $v\n"]
        )
        return Text(text, "{{ n }}")

    def _compared(self) -> Text:
        word = self._word()
        text = (
            f"[[ {word.template} == {word.template} && {{{{ n }}}} -eq {{{{ n }}}} ]] && put yes\n"
        )
        return Text(text, "yes")

    def _here_string(self) -> Text:
        word = self._word()
        return Text(f"cat <<< {word.template}\n", word.prints + "\n")

    def _array(self) -> Text:
        one, two = self._word(), self._word()
        text = f'a=({one.template} \\\n{two.template})\nput "${{a[@]}}"\n'
        return Text(text, one.prints + two.prints)

    def _ansi(self) -> Text:
        return Text("put $'a\\'{{ x }}\\t'\n", "a'{{ x }}\t")

    def _document(self) -> Text:
        """One or two here-documents, of every kind."""
        name, before = self._new(), self.chance.choice(["", "it's \"", "a ) ", "( "])
        kind = self.chance.randrange(4)
        if kind == 0:
            text = f"cat <<{name}\n{before}{{{{ x }}}}\\$z\n{name}\n"
            return Text(text, f"{before}{{{{ x }}}}$z\n")
        if kind == 1:
            quoted = self.chance.choice([f"'{name}'", f'"{name}"', f"\\{name}"])
            body = f"{before}$z `b` \\ \\$ {{{{ x }}}} $(c)"
            text = f"cat <<{quoted}\n{body}\n{name}\n"
            return Text(text, body + "\n")
        if kind == 2:
            text = f"cat <<-{name}\n\t\t{before}{{{{ x }}}}.\n\t{name}\n"
            return Text(text, f"{before}{{{{ x }}}}.\n")
        other = self._new()
        text = f"cat <<{name}; cat <<'{other}'\n{{{{ x }}}}\n{name}\n'{{{{ x }}}}$\n{other}\n"
        return Text(text, "{{ x }}\n'{{ x }}$\n")

    def _substituted(self, inner: Text) -> Text:
        return Text(f'r=$({inner.template}printf .\n); put "${{r%.}}"\n', inner.prints)

    def _quoted(self, inner: Text) -> Text:
        text = f'put "<{{{{ x }}}}$({inner.template}printf .) {{{{ x }}}}>"\n'
        return Text(text, f"<{{{{ x }}}}{inner.prints}. {{{{ x }}}}>")

    def _piped(self, inner: Text) -> Text:
        return Text(f"{{ {inner.template}}} | cat\n", inner.prints)

    def _grouped(self, inner: Text) -> Text:
        return Text(f" ( {inner.template})\n", inner.prints)

    def _conditional(self, inner: Text) -> Text:
        text = f"if [ {{{{ x }}}} = '{{{{ x }}}}' ]\nthen {inner.template}else put no; fi\n"
        return Text(text, inner.prints)

    def _in_document(self, inner: Text) -> Text:
        name = self._new()
        text = f"cat <<{name}\n{{{{ x }}}} $({inner.template}printf .)\n{name}\n"
        return Text(text, f"{{{{ x }}}} {inner.prints}.\n")

    def _in_case(self, inner: Text) -> Text:
        return Text(f"case b in\n b) {inner.template} ;;\nesac\n", inner.prints)

    def _function(self, inner: Text) -> Text:
        return Text(f"g() {{\n{inner.template}}}\ng\n", inner.prints)

    def _both(self, first: Text) -> Text:
        second = self.command(0)
        text = first.template + second.template
        return Text(text, first.prints + second.prints)

    def _in_backticks(self, inner: Text) -> Text:
        before = 'y=`echo \\`echo "b)"\\``; : ${y:-"q}"} ${#y}\n'
        return Text(before + inner.template, inner.prints)

    def _process(self, inner: Text) -> Text:
        return Text(f"cat <({inner.template})\n", inner.prints)


#: Every text stands in a file of its own; a text that is no shell ends its own subshell only.
#: One that goes round in circles ends by itself, and fills no disk.
_RUNNER = """
PATH=WHERE
ulimit -f 2048; ulimit -c 0
put() { printf '%s' "$@"; }
i=0
while [ "$i" -lt COUNT ]; do
    ( ulimit -t 2; . "./$i.sh" ) >"$i.out" 2>/dev/null </dev/null
    i=$((i + 1))
done
"""


def executed(
    shell: str, scripts: Sequence[str], folder: Path, *, path: str = "/usr/bin:/bin"
) -> list[bytes]:
    """What each script prints; canaries are left in `folder`."""
    for number, script in enumerate(scripts):
        (folder / f"{number}.sh").write_bytes(script.encode("utf-8", "surrogateescape"))
    runner = folder / "runner"
    runner.write_text(_RUNNER.replace("COUNT", str(len(scripts))).replace("WHERE", path))
    with subprocess.Popen(
        [*SHELLS[shell], str(runner)], cwd=folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    ) as process:  # fmt: skip
        try:
            assert process.wait(600) == 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return [(folder / f"{number}.out").read_bytes() for number in range(len(scripts))]
