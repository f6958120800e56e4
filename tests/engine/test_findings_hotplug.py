"""Memory that may go away while something in it is to be handed over."""

from pathlib import Path

import pytest

from kho_console.model.finding import Severity
from tests.engine.machines import KHO, Case, check, edited, plain
from tests.recordings import folder

COLD = "linux-7.3.4/cold"
HOTPLUGGED = "linux-7.3.4/hotplugged"
MEMORY = "/sys/devices/system/memory"
PHYS, LEN = f"{KHO}/out/scratch_phys", f"{KHO}/out/scratch_len"
IOMEM = (folder(COLD) / "root/proc/iomem").read_text()


def zones(first_page: int) -> str:
    """Node 1 with a Movable zone of 512 MiB that begins at a page."""
    normal = "Node 1, zone   Normal\n  pages free     5\n        spanned  262144\n"
    movable = "Node 1, zone  Movable\n  pages free     7\n        spanned  131072\n"
    return f"{normal}  start_pfn:           4096\n{movable}  start_pfn:           {first_page}\n"


CASES = (
    Case(
        "offline-memory-held",
        Severity.ERROR,
        # memory8 begins at 0x4000_0000 and holds a map page; memory12 holds node 1's scratch.
        (f"{MEMORY}/memory8/state", "offline"),
        edited(COLD, {f"{MEMORY}/memory8/state": "offline\n"}),
        (
            plain(COLD),
            # Nothing of the handover lies between 0x5000_0000 and 0x5800_0000.
            edited(COLD, {f"{MEMORY}/memory10/state": "offline\n"}),
            edited(COLD, {f"{MEMORY}/memory8/state": "going-offline-too\n"}),
        ),
    ),
    Case(
        "offline-memory-held",
        Severity.ERROR,
        (f"{MEMORY}/memory12/state", "offline"),
        edited(COLD, {f"{MEMORY}/memory12/state": "offline\n"}),
        # The area has no bytes, so it lies nowhere.
        (
            edited(
                COLD,
                {
                    f"{MEMORY}/memory12/state": "offline\n",
                    LEN: "0x2e800000\n0x0\n0x2400000\n0x0\n",
                },
            ),
        ),
    ),
    Case(
        "offline-memory-held",
        Severity.WARNING,
        (f"{MEMORY}/memory12/state", "going-offline"),
        edited(COLD, {f"{MEMORY}/memory12/state": "going-offline\n"}),
        (plain(COLD),),
    ),
    Case(
        "movable-memory-held",
        Severity.WARNING,
        ("/proc/zoneinfo", "memory12 lies in zone Movable only"),
        edited(COLD, {"/proc/zoneinfo": zones(0x60000).replace("262144", "327680")}),
        (
            plain(COLD),
            plain(HOTPLUGGED),
            # Both zones span the block: which one has it is not known.
            edited(COLD, {"/proc/zoneinfo": zones(0x60000).replace("262144", "500000")}),
            edited(COLD, {"/proc/zoneinfo": None}),
        ),
    ),
    Case(
        "driver-memory-held",
        Severity.WARNING,
        ("/proc/iomem", "0x66000000 to 0x68000000"),
        edited(COLD, {"/proc/iomem": IOMEM + "66000000-67ffffff : System RAM (kmem)\n"}),
        (plain(COLD), edited(COLD, {"/proc/iomem": IOMEM + "50000000-500fffff : dax0.0\n"})),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_rule(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)
