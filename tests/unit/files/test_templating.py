"""Values arrive as data wherever they stand in shell text, proved by a real sh (fault F21)."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drrun.core.errors import InputError
from drrun.core.values import Duration
from drrun.files.templating import Templates

EVIL = "a'; touch pwned; $(touch pwned) `touch pwned` \" \\ $HOME *\n; touch pwned # -rf"
#: Shell texts that print `<` value `>`; the value may have several lines.
PRINTING = [
    "printf '<%s>' {{ x }}",
    'printf "<%s>" "{{ x }}"',
    "printf '<%s>' '{{ x }}'",
    "printf '<%s>' \"$(printf %s. {{ x }})\" | sed '$s/[.]>$/>/'",
    "printf '<%s>' \"$(printf %s. '{{ x }}')\" | sed '$s/[.]>$/>/'",
    "case b in (b) printf '<%s>' \"{{ x }}\";; esac",
    "y=$(case b in b) printf %s. {{ x }};; esac); printf '<%s>' \"${y%.}\"",
    "printf '<%s>' {{ x }} # and {{ x }}",
    "cat <<E >/dev/null\nit's \"\nE\nprintf '<%s>' {{ x }}",
    "echo $((1 << 2)) >/dev/null; printf '<%s>' {{ x }}",
    "printf '<%s>' ''\"\"{{ x }}''",
    "# don't\nprintf '<%s>' {{ x }}",
    "{% if x %}printf '<%s>' \"{{ x }}\"{% endif %}",
]
ONE_LINE = [
    "printf '<%s>' \"$(cat <<E\n{{ x }}.\nE\n)\" | sed 's/[.]>$/>/'",
    "printf '<%s>' \"$(cat <<'E'\n{{ x }}.\nE\n)\" | sed 's/[.]>$/>/'",
    "printf '<%s>' \"$(cat <<-E\n\t{{ x }}.\n\tE\n)\" | sed 's/[.]>$/>/'",
]


def rendered(template: str, **names: Any) -> str:
    return Templates().text(template, names, shell=True)


def printed(template: str, value: str, folder: Path) -> str:
    script = rendered(template, x=value)
    done = subprocess.run(
        ["sh"], input=script.encode(), cwd=folder, capture_output=True, check=True
    )
    assert done.stderr == b""
    return done.stdout.decode()


@pytest.mark.parametrize("template", PRINTING)
@pytest.mark.faults(21)
def test_a_hostile_value_arrives_as_data(template: str, tmp_path: Path) -> None:
    assert printed(template, EVIL, tmp_path) == f"<{EVIL}>"
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("template", ONE_LINE)
def test_a_hostile_value_in_a_here_document_arrives_as_data(template: str, tmp_path: Path) -> None:
    value = EVIL.replace("\n", " ")
    assert printed(template, value, tmp_path) == f"<{value}>"
    assert not (tmp_path / "pwned").exists()


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12))
def test_any_value_arrives_as_data(value: str) -> None:
    for template in PRINTING[:3]:
        assert printed(template, value, Path("/")) == f"<{value}>"


#: Pieces that shell text is made of, quotes and brackets that do not match included.
PIECES = [
    "a", "E", " ", "\n", "'", '"', "$", "`", "\\", "(", ")", "{", "}", "<<E\n", "\nE\n", "<<'E'\n",
    "<<-E\n\t", "<<\\E\n", "#", "$(", "${", "${a:-", "$'", ";", "case a in ", "a) ", "esac", "$((",
    "))", "<<", "echo ", "=", "*", "# don't\n", "[", "a[", "]", "~", "!", "a=(",
]  # fmt: skip
ATTACKS = [
    "'; : >pwned; '", '"; : >pwned; "', "$(: >pwned)", "`: >pwned`", "; : >pwned; #",
    "\n: >pwned\n", "\\'; : >pwned; #", "(: >pwned)", "E\n: >pwned", ") ; : >pwned; (", "x\\",
    "}; : >pwned; {", "' \" ; : >pwned\n",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from([*PIECES, "{{ x }}"]), max_size=10).map("".join)


@pytest.mark.parametrize("shell", ["sh", "bash"])
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=TEXTS, after=TEXTS, value=st.sampled_from(ATTACKS))
@pytest.mark.faults(21)
def test_in_no_shell_text_does_a_value_become_a_command(
    shell: str, before: str, after: str, value: str, tmp_path: Path
) -> None:
    try:
        script = rendered(before + "{{ x }}" + after, x=value)
    except InputError:
        return  # refused is safe too
    (tmp_path / "pwned").unlink(missing_ok=True)
    # An empty PATH: whatever the text says, only what the shell itself can do is done.
    subprocess.run(
        [f"/bin/{shell}", "-c", script], cwd=tmp_path, env={"PATH": "/nowhere"},
        capture_output=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert not (tmp_path / "pwned").exists(), script


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("echo `echo {{ x }}`", "instead of back-ticks"),
        ("echo ${y:-{{ x }}}", "give the value to a variable first"),
        ("echo ${{ x }}", "take the '$' away"),
        ('echo "${{ x }}"', "take the '$' away"),
        ("echo \\{{ x }}", "take the '\\' away"),
        ("echo $'{{ x }}'", "without the $"),
        ("cat <<{{ x }}", "write a name"),
        ("a[{{ x }}]=1", "index of an array"),
        ("echo $(({{ x }}))", "must be a whole number"),
        ("cat <<$A {{ x }}", "without a plain name"),
        ("echo '{{ x }}", "not complete: it ends inside single quotes"),
        ("cat <<E\n{{ x }}\n", "not complete: a here-document has no end"),
        ("{% if x %}'{% endif %}{{ x }}'", "quotes must be closed before 'endif'"),
    ],
)
def test_a_value_where_no_quoting_is_sure_is_refused(template: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        rendered(template, x="v")
    assert message in str(caught.value)


@pytest.mark.parametrize("value", ["two\nlines", "E"])
def test_a_value_that_could_end_a_here_document_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="here-document"):
        rendered("cat <<E\n{{ x }}\nE\n", x=value)


def test_a_nul_is_refused() -> None:
    with pytest.raises(InputError, match="NUL"):
        rendered("echo {{ x }}", x="a\0b")


def test_a_list_becomes_several_words() -> None:
    assert rendered("ls {{ x }}", x=["a b", "c"]) == "ls 'a b' c"


EVERYDAY = r"""set -eu
for h in {{ l }}; do
  case "$h" in
    db*) echo "{{ x }}" ;;
    (web*) echo ok;;
    *) exit 1 ;;
  esac
done
awk '{ print $1 }' <<< "{{ x }}"   # it's a here-string
psql -Atc "select now() - t < interval '{{ x }}'"
if [ "$(id -u)" -ne 0 ]; then echo "it's {{ x }}"; fi
f() { echo "$1"; }
while read -r a; do echo "$a"; done < <(echo {{ x }})
[[ $x =~ ^(a|b)$ ]] && echo {{ x }}
case $1 in -h|--help) echo;; esac
cat > /etc/x <<EOF
key={{ x }}
it's "fine" $(date)
EOF
n=$((n + {{ n }})); list=(a "b c" {{ l }})
( cd /x && ls ); { echo a; }
echo ${x:-"default"} ${#x} ${x%%*.} "${list[@]}" "$#" $# $?
curl -d '{"a": "b"}' https://{{ x }}:8443/x?y=1#frag
find . -name '*.x' -exec rm {} \; 2>/dev/null || true
echo done \
  {{ x }}
"""


def test_everyday_shell_text_is_accepted() -> None:
    script = rendered(EVERYDAY, x="v w", l=["a", "b c"], n=3)
    subprocess.run(["bash", "-n", "-c", script], check=True)
    assert 'echo "v w"' in script
    assert "interval 'v w'" in script


def test_a_whole_number_may_be_computed_with() -> None:
    assert rendered("echo $(( {{ x }} * 2 ))", x=5) == "echo $(( 5 * 2 ))"


def test_raw_opts_out() -> None:
    assert rendered('{{ x | raw }}; echo "{{ x | raw }}"', x="a $b") == 'a $b; echo "a $b"'


def test_text_that_is_no_shell_is_not_quoted() -> None:
    assert Templates().text("Dear {{ x }}", {"x": "a b"}) == "Dear a b"


def test_a_lone_value_keeps_its_type() -> None:
    names = {"x": [1, 2], "d": Duration(300), "steps": {"a-b": {"lag": 5}}}
    value = Templates().value
    assert value("{{ x }}", names) == [1, 2]
    assert value(["{{ d }}", {"a": "{{ d }}!"}], names) == [Duration(300), {"a": "5m!"}]
    assert value("{{ steps.a-b.lag }}", names) == 5
    assert value(7, names) == 7


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        ("inputs.to == 'ams'", True),
        ("{{ inputs.to == 'fre' }}", False),
        ("steps.freeze-writes.lag | int < 6 and not inputs.dry", True),
        ("inputs.no", False),
        ("true", True),
        ("inputs.x is defined", False),
    ],
)
def test_conditions_are_true_or_false(expression: str, *, truth: bool) -> None:
    names = {
        "inputs": {"to": "ams", "dry": False, "no": "false"},
        "steps": {"freeze-writes": {"lag": "5"}},
    }
    assert Templates().condition(expression, names) is truth


def test_names_of_members_win_over_methods() -> None:
    assert Templates().text("{{ vars.items }}", {"vars": {"items": "mine"}}) == "mine"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ inputs.too }}", "unknown name 'too'; did you mean 'to'?"),
        ("{{ nothing }}", "unknown name 'nothing'"),
        ("{{ nothing.at.all }}", "unknown name 'nothing'"),
        ("{{ inputs.to", "not closed|unexpected end"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ ''.__class__ }}", "unsafe"),
        ("{{ 'a' * 100000000 }}", "too long"),
        ("{{ 9 ** 9 ** 9 }}", "not allowed"),
        ("{% include 'x' %}", "no loader"),
        ("{{ inputs.to.append('x') }}", ".*"),
    ],
)
def test_a_wrong_template_is_told_in_plain_words(template: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Templates().text(template, {"inputs": {"to": "ams"}})
