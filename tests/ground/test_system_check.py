"""What `make` says before it sets anything up on a system that lacks something."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("system_check.sh")


def check(folder: Path, python: str, compiler: str = "sh") -> subprocess.CompletedProcess[str]:
    """Run the check with a Python that is the shell script `python`."""
    stand_in = folder / "python"
    stand_in.write_text(f"#!/bin/sh\n{python}\n")
    stand_in.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", SCRIPT, stand_in],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "CC": compiler},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_nothing_missing_says_nothing(tmp_path: Path) -> None:
    result = check(tmp_path, "exit 0")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_everything_missing_is_named_at_once(tmp_path: Path) -> None:
    result = check(tmp_path, "exit 1", compiler="no-such-compiler -O2")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "On Debian and its relatives: apt-get install python3 libudev1 python3-venv python3-dev gcc"
    )
    assert "a C compiler (no-such-compiler)" in result.stderr


@pytest.mark.parametrize(
    ("asked_for", "package"),
    [
        ("version_info", "python3"),
        ("libudev", "libudev1"),
        ("ensurepip", "python3-venv"),
        ("Python.h", "python3-dev"),
    ],
)
def test_only_what_is_missing_is_named(tmp_path: Path, asked_for: str, package: str) -> None:
    result = check(tmp_path, f'case "$2" in *{asked_for}*) exit 1;; esac')
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].endswith(f"apt-get install {package}")


def test_a_compiler_is_needed_only_until_libfdt_is_there(tmp_path: Path) -> None:
    ready = tmp_path / ".venv" / "bin" / "python"
    ready.parent.mkdir(parents=True)
    ready.write_text("#!/bin/sh\nexit 0\n")
    ready.chmod(0o755)
    assert check(tmp_path, "exit 0", compiler="no-such-compiler").returncode == 0
