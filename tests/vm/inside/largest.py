"""Runs in the agent: `largest.py KERNEL` prints the largest initrd that preflight lets pass.

In bytes: `scratch` for a normal image, `crash` for the crash region.
"""

import json
import sys
from collections.abc import Callable

from kho_console.engine.image_files import kernel
from kho_console.engine.observe import observe
from kho_console.engine.preflight import answers
from kho_console.model.change import KexecImage
from kho_console.model.check import Result
from kho_console.model.image import InitialRamDisk
from kho_console.source.live import LiveSource

PAGE = 4096


def main() -> None:
    """Search."""
    snapshot, image = observe(LiveSource()), kernel(sys.argv[1])

    def passes(size: int, check: str, crash: bool) -> bool:
        request = KexecImage(sys.argv[1], "initrd", b"kho=on", crash)
        found = answers(snapshot, request, image, InitialRamDisk(size, (), ())).checks
        return all(item.result is not Result.FAIL for item in found if item.id == check)

    print(
        json.dumps(
            {
                "scratch": _largest(lambda size: passes(size, "scratch-fit", False)),
                "crash": _largest(lambda size: passes(size, "crash-region-fit", True)),
            }
        )
    )


def _largest(passes: Callable[[int], bool]) -> int:
    fits, not_any_more = 0, 1 << 20
    while not_any_more - fits > 1:
        middle = (fits + not_any_more) // 2
        fits, not_any_more = (middle, not_any_more) if passes(middle * PAGE) else (fits, middle)
    return fits * PAGE


if __name__ == "__main__":
    main()
