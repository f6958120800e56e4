"""Verbs without a screen start without the heavy libraries."""

import os
import subprocess
import sys

import pytest

from kho_console import __version__

HEAVY = {"textual", "numpy", "libfdt"}


def run(*arguments: str) -> tuple[str, set[str]]:
    """Standard output of a Python, and the top-level packages it imported."""
    result = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = result.stderr.splitlines()
    modules = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    return result.stdout, {module.partition(".")[0] for module in modules}


def test_version_loads_no_heavy_library() -> None:
    output, packages = run("-m", "kho_console", "--version")
    assert output.split() == ["kho-console", __version__]
    assert "kho_console" in packages
    assert not packages & {*HEAVY, "argparse", "re"}


def test_the_entry_point_loads_no_heavy_library() -> None:
    _, packages = run("-c", "import kho_console.__main__")
    assert "kho_console" in packages
    assert not packages & HEAVY


@pytest.mark.parametrize("moment", ["linux-7.3.4/sessions", "linux-6.18.15/finalized"])
@pytest.mark.parametrize("verb", ["status", "scratch", "blobs", "sessions", "preserved"])
def test_what_is_small_is_shown_without_numpy(verb: str, moment: str) -> None:
    output, packages = run("-m", "kho_console", verb, "--json", "--source", moment)
    assert '"schema": 1' in output
    assert "kho_console" in packages
    assert not packages & {"numpy", "textual"}


@pytest.mark.parametrize("library", sorted(HEAVY))
def test_a_heavy_library_would_be_seen(library: str) -> None:
    assert library in run("-c", f"import {library}")[1]
