from pathlib import Path

import pytest

from drrun.core.model.errors import InputError
from drrun.core.model.values import Duration
from drrun.settings import read_settings

XDG = {"XDG_STATE_HOME": "/var/state", "XDG_CONFIG_HOME": ""}


def test_a_flag_wins_over_everything(tmp_path: Path) -> None:
    (tmp_path / "drrun.yaml").write_text("state: from-project\n")
    found = read_settings({"state": "flag"}, {"DRRUN_STATE": "environment"}, tmp_path)
    assert found.state == "flag"


def test_the_environment_wins_over_files(tmp_path: Path) -> None:
    (tmp_path / "drrun.yaml").write_text("state: from-project\n")
    assert read_settings({}, {"DRRUN_STATE": "environment"}, tmp_path).state == "environment"


def test_the_project_wins_over_the_user(tmp_path: Path) -> None:
    user = tmp_path / "config" / "drrun"
    user.mkdir(parents=True)
    (user / "config.yaml").write_text("by: user\nmax_parallel: 3\n")
    (tmp_path / "drrun.yaml").write_text("by: project\n")
    found = read_settings({}, {"XDG_CONFIG_HOME": str(tmp_path / "config")}, tmp_path)
    assert (found.by, found.max_parallel) == ("project", 3)


def test_paths_in_a_file_are_meant_from_that_file(tmp_path: Path) -> None:
    (tmp_path / "drrun.yaml").write_text("inventory: [hosts]\n")
    assert read_settings({}, XDG, tmp_path).inventory == (tmp_path / "hosts",)


def test_the_state_is_in_the_users_state_folder(tmp_path: Path) -> None:
    assert read_settings({}, XDG, tmp_path).state == "/var/state/drrun/state.db"


def test_reading_settings_creates_nothing(tmp_path: Path) -> None:
    read_settings({}, {"XDG_STATE_HOME": str(tmp_path / "state")}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_unknown_setting_is_an_error_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "drrun.yaml").write_text("by: drew\nmax_paralel: 3\n")
    with pytest.raises(InputError, match=r"drrun\.yaml:2:1: .*did you mean 'max_parallel'"):
        read_settings({}, XDG, tmp_path)


def test_linger_is_a_duration(tmp_path: Path) -> None:
    assert read_settings({"linger": "30m"}, XDG, tmp_path).linger == Duration(1800)


WRONG = [("linger", "30"), ("max_parallel", "0"), ("max_parallel", "x"), ("no_input", "x")]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_named_by_the_flag_the_variable_or_the_file_that_says_it(
    name: str, value: str, tmp_path: Path
) -> None:
    flag = f"--{name.replace('_', '-')}"
    variable = f"DRRUN_{name.upper()}"
    with pytest.raises(InputError, match=rf"^{flag}: .*'{value}'"):
        read_settings({name: value}, {**XDG, variable: value}, tmp_path)
    with pytest.raises(InputError, match=rf"^{variable}: .*'{value}'"):
        read_settings({}, {**XDG, variable: value}, tmp_path)
    (tmp_path / "drrun.yaml").write_text(f"{name}: {value}\n")
    with pytest.raises(InputError, match=rf"drrun\.yaml: {name}: .*'{value}'"):
        read_settings({}, XDG, tmp_path)
