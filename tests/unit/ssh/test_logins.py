import subprocess
from pathlib import Path

from drrun.ssh.logins import KeyFiles
from tests.sshd import make_key


def test_a_key_file_is_read_once_for_all_hosts(tmp_path: Path) -> None:
    file, files = make_key(tmp_path / "key"), KeyFiles()
    assert files.key(file) is files.key(file)


def test_a_key_file_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    file, files = make_key(tmp_path / "key"), KeyFiles()
    first = files.key(file)
    make_key(tmp_path / "other").replace(file)
    assert files.key(file) != first


def test_a_certificate_that_came_later_is_taken(tmp_path: Path) -> None:
    """Those that live for hours are renewed while a run goes on."""
    file, files = make_key(tmp_path / "key"), KeyFiles()
    assert files.key(file).public_blob is None
    sign = [
        "ssh-keygen",
        "-q",
        "-s",
        str(make_key(tmp_path / "authority")),
        "-I",
        "me",
        "-n",
        "me",
    ]
    subprocess.run([*sign, f"{file}.pub"], check=True)
    assert files.key(file).public_blob is not None
