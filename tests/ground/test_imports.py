"""The import contracts of pyproject.toml, tried on small trees that keep and break them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"

ALLOWED = {
    "__main__.py": "import kho_console.cli",
    "cli/__init__.py": "import kho_console.engine, kho_console.model, kho_console.documents",
    "cli/screen.py": "import kho_console.tui, kho_console.config",
    "cli/keymap.py": "import kho_console.tui",
    "config/__init__.py": "import kho_console.model",
    "tui/__init__.py": "import kho_console.engine, kho_console.text, textual, rich",
    "tui/map.py": "import kho_console.model, kho_console.config, textual.widget, rich.text",
    "engine/__init__.py": "import kho_console.source, kho_console.abi, kho_console.resources",
    "engine/actions/__init__.py": "",
    "engine/actions/perform.py": "import kho_console.source.writable",
    "engine/errnos/__init__.py": "import kho_console.source.writable",
    "engine/opening.py": "import kho_console.source.writable, kho_console.twin",
    "twin/__init__.py": "import kho_console.source.protocol, kho_console.abi",
    "documents/__init__.py": "import kho_console.text, kho_console.model",
    "text.py": "import kho_console.model",
    "text_acting.py": "import kho_console.text",
    "text_crash.py": "import kho_console.text",
    "text_over_time.py": "import kho_console.text",
    "text_simulation.py": "import kho_console.text",
    "text_mechanisms.py": "import kho_console.text",
    "resources.py": "",
    "toml_lines.py": "",
    "source/__init__.py": "import kho_console.abi, kho_console.model",
    "source/live/__init__.py": "import psutil",
    "source/live/uevents.py": "import pyudev",
    "source/live/source.py": "import kho_console.source.live.changes",
    "source/live/changes.py": "import kho_console.source.live.kexec_call",
    "source/live/kexec_call.py": "",
    "source/writable.py": "import kho_console.model",
    "abi/__init__.py": "import kho_console.model",
    "abi/fdt.py": "import libfdt",
    "abi/radix_tree.py": "import numpy, kho_console.abi.fdt",
    "model/__init__.py": "",
    "__init__.py": "",
}

REFUSED = [
    ("model/tree.py", "kho_console.abi"),
    ("model/tree.py", "kho_console.resources"),
    ("model/tree.py", "textual"),
    ("abi/kexec.py", "kho_console.source"),
    ("abi/kexec.py", "kho_console.text"),
    ("abi/kexec.py", "kho_console.resources"),
    ("abi/kexec.py", "libfdt"),
    ("source/fixture.py", "kho_console.engine"),
    ("source/fixture.py", "kho_console.text"),
    ("source/fixture.py", "psutil"),
    ("engine/observe.py", "kho_console.cli"),
    ("engine/observe.py", "kho_console.tui"),
    ("engine/observe.py", "kho_console.text"),
    ("engine/observe.py", "kho_console.text_crash"),
    ("engine/observe.py", "pyudev"),
    ("engine/observe.py", "kho_console.source.writable"),
    ("engine/actions/perform.py", "kho_console.source.live.changes"),
    ("tui/app.py", "kho_console.twin"),
    ("twin/kernel.py", "kho_console.engine"),
    ("engine/observe.py", "kho_console.documents"),
    ("documents/__init__.py", "kho_console.abi"),
    ("documents/__init__.py", "kho_console.engine"),
    ("engine/observe.py", "kho_console.config"),
    ("config/load.py", "kho_console.engine"),
    ("config/load.py", "kho_console.text"),
    ("config/load.py", "textual"),
    ("text.py", "kho_console.documents"),
    ("text.py", "kho_console.abi"),
    ("text.py", "rich"),
    ("tui/app.py", "kho_console.abi.fdt"),
    ("tui/app.py", "kho_console.source"),
    ("tui/app.py", "kho_console.cli"),
    ("cli/show.py", "kho_console.abi"),
    ("cli/show.py", "kho_console.source"),
    ("cli/show.py", "kho_console.tui"),
    ("cli/show.py", "textual"),
    ("__main__.py", "kho_console.tui"),
]


def check(folder: Path, modules: dict[str, str]) -> subprocess.CompletedProcess[str]:
    for name, text in modules.items():
        path = folder / "kho_console" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    shutil.copy(CHECKOUT / "pyproject.toml", folder)
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_house_as_drawn_is_kept(tmp_path: Path) -> None:
    result = check(tmp_path, ALLOWED)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "16 kept, 0 broken" in result.stdout


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> str:
    modules = dict(ALLOWED)
    for importer, imported in REFUSED:
        modules[importer] = f"{modules.get(importer, '')}\nimport {imported}"
    result = check(tmp_path_factory.mktemp("tree"), modules)
    assert result.returncode == 1, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize(("importer", "imported"), REFUSED)
def test_an_arrow_the_wrong_way_is_refused(refusals: str, importer: str, imported: str) -> None:
    room = f"kho_console.{importer.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}"
    assert f"{room} -> {imported} (l." in refusals


def test_a_room_without_a_layer_is_refused(tmp_path: Path) -> None:
    result = check(tmp_path, {**ALLOWED, "utils.py": ""})
    assert result.returncode == 1
    assert "kho_console.utils" in result.stdout
