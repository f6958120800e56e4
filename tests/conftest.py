import shutil
import subprocess
from collections.abc import Callable

import pytest

Dtc = Callable[[bytes], bytes]


@pytest.fixture
def dtc() -> Dtc:
    """Turns tree source into a blob, as the device tree compiler of the system does."""
    place = shutil.which("dtc")
    if place is None:
        pytest.skip("dtc is not installed (Debian: device-tree-compiler)")

    def compile_tree(source: bytes) -> bytes:
        command = [place, "-q", "-I", "dts", "-O", "dtb", "-"]
        done = subprocess.run(command, input=source, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return compile_tree


@pytest.fixture(autouse=True)
def _no_settings_of_whoever_runs_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHO_CONSOLE_NO_CONFIG", "1")
    for name in ("KHO_CONSOLE_THEME", "KHO_CONSOLE_LOG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
