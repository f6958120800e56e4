"""Every scene runs once for each kernel that it applies to; what is missing is a named skip."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.vm import machine
from tests.vm.guest import Guest
from tests.vm.kernels import Kernel, chosen

WANTED = "KHO_VM_KERNELS"
"""Environment variable: series, such as `6.18 7.3`; without it all that are in the cache."""

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.vm)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A scene's module says in `APPLIES` for which series it is made."""
    if "kernel" not in metafunc.fixturenames:
        return
    applies: Callable[[tuple[int, int]], bool]
    applies = getattr(metafunc.module, "APPLIES", lambda series: True)
    kernels, missing = chosen(os.environ.get(WANTED, "").split())
    parameters = [
        pytest.param(kernel, id=kernel.release) for kernel in kernels if applies(kernel.series)
    ]
    for series, reason in missing.items():
        if applies((int(series.split(".")[0]), int(series.split(".")[1]))):
            skipped = pytest.mark.skip(reason=f"no kernel {series}: {reason}")
            parameters.append(pytest.param(None, id=series, marks=skipped))
    if not parameters:
        skipped = pytest.mark.skip(reason="none of the kernels at hand is of the kind it is about")
        parameters.append(pytest.param(None, id="none", marks=skipped))
    metafunc.parametrize("kernel", parameters, scope="module", indirect=True)


@pytest.fixture(scope="module")
def kernel(request: pytest.FixtureRequest) -> Kernel:
    found: Kernel = request.param
    return found


@pytest.fixture(scope="module")
def guest(kernel: Kernel, request: pytest.FixtureRequest) -> Iterator[Guest]:
    """One boot for all scenes of a module; its `EXTRA` goes to the kernel's command line."""
    lacking = machine.lacking()
    if lacking:
        pytest.skip(f"a guest needs: apt-get install {' '.join(lacking)}")
    with Guest(kernel, getattr(request.module, "EXTRA", "")) as booted:
        yield booted
