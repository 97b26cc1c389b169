"""Values arrive as data wherever they stand in shell text, proved by a real sh (fault F21)."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drrun.core.model.errors import InputError
from drrun.core.model.shell_values import readable
from drrun.core.model.values import Duration
from drrun.files.templates.templating import Templates

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
DOCUMENTS = [
    "printf '<%s>' \"$(cat <<E\n{{ x }}.\nE\n)\" | sed '$s/[.]>$/>/'",
    "printf '<%s>' \"$(cat <<'E'\n{{ x }}.\nE\n)\" | sed '$s/[.]>$/>/'",
    "printf '<%s>' \"$(cat <<-E\n\t{{ x }}.\n\tE\n)\" | sed '$s/[.]>$/>/'",
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


@pytest.mark.parametrize("template", DOCUMENTS)
def test_a_hostile_value_in_a_here_document_arrives_as_data(template: str, tmp_path: Path) -> None:
    assert printed(template, EVIL, tmp_path) == f"<{EVIL}>"
    assert not (tmp_path / "pwned").exists()


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12))
def test_any_value_arrives_as_data(value: str) -> None:
    for template in PRINTING[:3]:
        assert printed(template, value, Path("/")) == f"<{value}>"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("echo `echo {{ x }}`", "instead of back-ticks"),
        ("echo ${y:-{{ x }}}", "give the value to a variable first"),
        ("echo ${{ x }}", "remove the '$'"),
        ('echo "${{ x }}"', "remove the '$'"),
        ("echo \\{{ x }}", "remove the '\\'"),
        ("cat <<{{ x }}", "write a name"),
        ('echo ${a["{{ x }}"]}', "give the value to a variable first"),
        ("{{ x }}=1", "write a name"),
        ("for {{ x }} in a; do :; done", "write a name"),
        ("echo {1..{{ x }}}", "write $(seq"),
        ("ls ~{{ x }}", "write the folder"),
        ("declare -a a={{ x }}", "write name=("),
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


@pytest.mark.parametrize(
    "template",
    [
        "echo $(({{ x }}))", 'echo "$(( 1 + {{ x }} ))"', "(( {{ x }} > 1 ))", "a[{{ x }}]=1",
        "a=([{{ x }}]=1)", "cat <<E\n$(({{ x }}))\nE\n", "[[ {{ x }} -eq 1 ]]",
        "[[ 1 -eq 1 && '{{ x }}' -lt 1 ]]", '[ "{{ x }}" -eq 1 ]', "test 1 -ge {{ x }}",
        "let {{ x }}", 'let "a = {{ x }}"', "exit {{ x }}", "builtin shift {{ x }}",
        "unset {{ x }}", "read {{ x }}", "IFS= read -r {{ x }}", "read -t {{ x }} y",
        "printf -v {{ x }} a", "printf %d {{ x }}", "printf '%s %5.1f' a {{ x }}",
        "printf '%*d' {{ x }} 1", "test -v {{ x }}", "[[ ! -v {{ x }} ]]", "export {{ x }}=1",
        "declare {{ x }}=1", "declare -i a={{ x }}", "local -n a={{ x }}", "SECONDS={{ x }}",
        "export OPTIND={{ x }}", "echo a >&{{ x }}", "for ((i=0;i<{{ x }};i++)); do :; done",
    ],
)  # fmt: skip
def test_a_value_that_a_shell_would_compute_must_be_a_number_or_a_name(template: str) -> None:
    with pytest.raises(InputError, match=r"must be (a whole number|a number|the name)"):
        rendered(template, x="a[$(: >pwned)]")


@pytest.mark.parametrize(
    "template",
    [
        "export A={{ x }}", "local a={{ x }} b", "readonly a='{{ x }}'", "[ {{ x }} = a ]",
        "[[ {{ x }} == a* && 1 -eq 1 ]]", "printf '%s\\n' {{ x }}", "printf %d%s 1 {{ x }}",
        "set -- {{ x }}", "read -p {{ x }} y", "echo [{{ x }}]", "a=({{ x }})", "echo > {{ x }}",
    ],
)  # fmt: skip
def test_a_value_that_no_shell_computes_may_be_anything(template: str) -> None:
    rendered(template, x="a[$(: >pwned)]")


@pytest.mark.parametrize("n", ["010", "1 + 1", "", "0x1", "99999999999999999999"])
def test_what_is_no_plain_number_is_refused_in_arithmetic(n: str) -> None:
    with pytest.raises(InputError, match="whole number without leading zeros, not"):
        rendered("echo $(( {{ x }} ))", x=n)


@pytest.mark.parametrize("block", ["{% macro m() %}{% endmacro %}", "{% set y %}a{% endset %}"])
def test_a_block_that_makes_text_of_values_is_refused(block: str) -> None:
    with pytest.raises(InputError, match="cannot keep apart"):
        rendered(f"{block}echo {{{{ x }}}}", x="v")


def test_a_nul_is_refused() -> None:
    with pytest.raises(InputError, match="NUL"):
        rendered("echo {{ x }}", x="a\0b")


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("printf '<%s>' {{ x }}", "<a b><c>"),
        ("printf '<%s>' '{{ x }}'", "<a b c>"),
        ("y={{ x }}; printf '<%s>' \"$y\"", "<a b c>"),  # and c is no command
        ("printf '<%s>' --all={{ x }}", "<--all=a b c>"),
    ],
)
def test_a_list_becomes_several_words_where_it_stands_alone(
    template: str, words: str, tmp_path: Path
) -> None:
    script = rendered(template, x=["a b", "c"])
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == words


def test_each_value_has_one_variable() -> None:
    script = rendered(
        "{% for h in l %}a {{ h }} '{{ h }}' {{ x.y }}\n{% endfor %}", l="pq", x={"y": 1}
    )
    assert script == (
        "drrun_h='p'\ndrrun_x_y='1'\ndrrun_h_2='q'\n"
        'a "${drrun_h}" \'\'"${drrun_h}"\'\' "${drrun_x_y}"\n'
        'a "${drrun_h_2}" \'\'"${drrun_h_2}"\'\' "${drrun_x_y}"\n'
    )


def test_a_script_is_read_with_its_values_in_place() -> None:
    template = "a {{ x }} '{{ x }}, {{ x }}' \"({{ x }})\" <<E\n{{ y }}\nE\n"
    script = rendered(template, x="it's", y="two\nlines")
    read = "a 'it'\\''s' 'it'\\''s, it'\\''s' \"(it's)\" <<E\ntwo\nlines\nE\n"
    assert readable(script) == read
    assert readable("echo a") == "echo a"


def test_a_value_is_in_no_environment() -> None:
    script = rendered("echo {{ x }} >/dev/null; env", x="secret word")
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert "secret word" not in done.stdout


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
    assert "echo 'v w'" in readable(script)
    assert "interval 'v w'" in readable(script)


def test_a_whole_number_may_be_computed_with() -> None:
    assert rendered("echo $(( {{ x }} * 2 ))", x=5).endswith("echo $(( ${drrun_x} * 2 ))")


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
