"""Completion: the scripts have all of the parser, and do what they say where a shell is there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kho_console.cli.completion import script
from kho_console.cli.grammar import verb_of
from kho_console.cli.parser import SHELLS, parser
from kho_console.engine.opening import shipped

WHOLE = verb_of(parser())

ASK = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_kho_console
printf '%s\\n' "${COMPREPLY[@]}"
"""


def shell(name: str) -> str:
    place = shutil.which(name)
    if place is None:
        pytest.skip(f"{name} is not installed")
    return place


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the script, the console by its name, and something to complete."""
    place = tmp_path_factory.mktemp("completion")
    (place / "script").write_text(script("bash"))
    console = place / "kho-console"
    console.write_text(f'#!/bin/sh\nexec {sys.executable} -m kho_console "$@"\n')
    console.chmod(0o755)
    (place / "a folder").mkdir()
    (place / "a file").touch()
    return place


def completed(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last word."""
    done = subprocess.run(
        [shell("bash"), "--norc", "-euc", ASK, "bash", "./script", "kho-console", *words],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [word for word in done.stdout.split("\n") if word]


def test_bash_completes_verbs_at_every_depth(folder: Path) -> None:
    for verb in WHOLE.all():
        if verb.verbs:
            names = [below.words[-1] for below in verb.verbs]
            assert completed(folder, *verb.words, "") == names
    assert completed(folder, "st") == ["status"]
    assert completed(folder, "--theme", "dark", "--mono", "config", "--debug", "sh") == ["show"]


def test_bash_completes_the_options_of_each_verb(folder: Path) -> None:
    for verb in (WHOLE, WHOLE.verbs[0], WHOLE.verbs[-1]):
        flags = [flag for option in verb.options for flag in option.flags]
        assert completed(folder, *verb.words, "--") == [flag for flag in flags if flag[1] == "-"]
    assert completed(folder, "preserved", "--ext") == ["--extents"]
    assert completed(folder, "status", "--ext") == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--theme", ""], ["dark", "light", "high-contrast"]),
        (["--theme", "=", "l"], ["light"]),
        (["status", "--theme", "="], ["dark", "light", "high-contrast"]),
        (["preserved", "--side", ""], ["out", "in"]),
        (["--side", ""], [verb.words[0] for verb in WHOLE.verbs]),
        (["tree", "o"], ["out"]),
        (["tree", "out", ""], []),
        (["completion", "z"], ["zsh"]),
        (["--interval", ""], []),
        (["--log", "a"], ["a folder", "a file"]),
        (["config", "check", "a f"], ["a folder", "a file"]),
        (["--source", "a"], ["a folder"]),
        (["--source", "li"], ["live", *(word for word in shipped() if word.startswith("li"))]),
        (["demo", "--source", "=", "linux-7.3.4/rea"], ["linux-7.3.4/ready"]),
    ],
)
def test_bash_completes_values(folder: Path, words: list[str], expected: list[str]) -> None:
    assert sorted(completed(folder, *words)) == sorted(expected)


@pytest.mark.parametrize("name", SHELLS)
def test_a_shell_takes_its_script(name: str, tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_text(script(name))
    done = subprocess.run(
        [shell(name), "-n", path], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", SHELLS)
def test_every_verb_and_option_is_in_the_script(name: str) -> None:
    written = script(name)
    for verb in WHOLE.all():
        assert not verb.words or verb.words[-1] in written
        for flag in (flag for option in verb.options for flag in option.flags):
            spelled = {"fish": f"-l {flag[2:]} " if flag[1] == "-" else f"-s {flag[1:]} "}
            assert spelled.get(name, flag) in written


def test_sources_are_live_and_the_shipped_ones(capsys: pytest.CaptureFixture[str]) -> None:
    from kho_console.cli.main import main

    assert main(["completion", "sources"]) == 0
    assert capsys.readouterr().out.split() == ["live", *shipped()]
