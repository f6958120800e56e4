"""The console installed by `pip install .` into an empty environment, used from elsewhere.

Costs 6 to 8 s, nearly all of it the installation, once. Nothing is compiled and no network is
needed, because `make test` has put the wheels of all dependencies beside its environment.
"""

import json
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from kho_console import __version__
from tests.ground.terminal import Terminal
from tests.recordings import RECORDINGS

CHECKOUT = Path(__file__).parents[2]
WHEELS = Path(sys.prefix) / "wheels"
ENTER_SCREEN, LEAVE_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not WHEELS.is_dir(), reason="`make test` collects the wheels this needs"),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the console and what it declares to need, nothing else."""
    folder = tmp_path_factory.mktemp("wheel") / "environment"
    venv.create(folder)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    options = ["--quiet", "--no-compile", "--no-index", "--find-links", str(WHEELS)]
    subprocess.run([*pip, "install", *options, str(CHECKOUT)], check=True, timeout=300)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Environment variables of a user with an empty home and a plain terminal."""
    return {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "TERM": "xterm-256color"}


def package(environment: Path) -> Path:
    """The folder of the installed package."""
    (folder,) = environment.glob("lib/python3*/site-packages/kho_console")
    return folder


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def run(
    environment: Path, home: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [environment / "bin" / "kho-console", *arguments],
        cwd=home["HOME"],
        env=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_styles_and_recordings_are_carried(environment: Path) -> None:
    installed = package(environment)
    assert files(installed / "fixtures") == files(CHECKOUT / "fixtures")
    assert files(installed / "styles") == files(CHECKOUT / "styles")
    recordings = {
        path.parent.name for path in installed.glob("fixtures/linux-7.3.4/*/manifest.json")
    }
    assert recordings == {
        "cold", "sessions", "crash-loaded", "hotplugged", "ready", "restored", "retrieved",
    }  # fmt: skip
    assert len(list(installed.glob("fixtures/linux-*/*/manifest.json"))) == len(RECORDINGS) > 0
    # A directory that was empty on the machine exists only through its dot file.
    empty = "fixtures/linux-6.18.15/cold/root/sys/kernel/debug/kho/out/sub_fdts/.empty"
    assert (installed / empty).is_file()


def test_manual_and_completions_are_where_their_readers_look(environment: Path) -> None:
    share = CHECKOUT / "kho_console" / "share"
    assert files(share) <= files(environment / "share")
    assert "man/man1/kho-console.1" in files(environment / "share")
    assert not (package(environment) / "share").exists()


def test_tests_are_not_carried(environment: Path) -> None:
    assert not (package(environment).parent / "tests").exists()


def test_version(environment: Path, home: dict[str, str]) -> None:
    result = run(environment, home, "--version")
    assert (result.returncode, result.stdout) == (0, f"kho-console {__version__}\n")


def test_status_of_a_carried_recording(environment: Path, home: dict[str, str]) -> None:
    result = run(environment, home, "--source", "linux-7.3.4/sessions", "status", "--json")
    assert result.returncode == 0, result.stderr
    status = json.loads(result.stdout)
    assert status["schema"] == 1
    assert status["source"]["kind"] == "fixture"
    assert status["kernel"] == {"release": "7.3.4", "machine": "x86_64", "page_size": 4096}


def test_demo_draws_and_quits(environment: Path, home: dict[str, str]) -> None:
    releases = [
        json.loads(manifest.read_text())["release"]
        for manifest in package(environment).glob("fixtures/linux-*/*/manifest.json")
    ]
    with Terminal(
        [environment / "bin" / "kho-console", "demo"], Path(home["HOME"]), home
    ) as terminal:
        drawn = terminal.read_until("|".join(map(re.escape, releases)), seconds=30)
        assert drawn, terminal.text[-2000:]
        assert ENTER_SCREEN in terminal.output
        terminal.press(b"q")
        assert terminal.leave(seconds=20) == 0, terminal.text[-2000:]
        assert LEAVE_SCREEN in terminal.output.rpartition(ENTER_SCREEN)[2]


def test_demo_without_a_terminal_names_a_verb(environment: Path, home: dict[str, str]) -> None:
    result = run(environment, home, "demo")
    assert result.returncode == 3
    assert result.stdout == ""
    assert "status" in result.stderr
