"""What is left of an incoming map, and whose memory it was."""

import struct
from pathlib import Path

from kho_console.engine import residue
from kho_console.engine.observe import observe
from kho_console.model.owner import Owner, OwnerKind
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.fixture import FixtureSource
from tests.fixture_folder import FixtureFolder
from tests.recordings import folder

PAGE = 4096


def test_a_cold_boot_has_no_residue() -> None:
    source = FixtureSource(folder("linux-7.3.4/cold"))
    left = residue.read(source, observe(source))
    assert isinstance(left, Unknown)
    assert left.cause is Cause.ABSENT


def test_pages_that_were_not_recorded_are_no_empty_map() -> None:
    source = FixtureSource(folder("linux-6.18.15/restored"))
    left = residue.read(source, observe(source))
    assert isinstance(left, Unknown)
    assert left.cause is Cause.NOT_RECORDED


def test_a_map_that_is_still_there_is_read_and_attributed(tmp_path: Path) -> None:
    """A chunk list that nothing has reused names the first page of a `reserve_mem` region."""
    recorded = folder("linux-6.18.15/restored")
    kho = "sys/kernel/debug/kho"
    place = FixtureFolder(tmp_path, "6.18.15")
    tree = (recorded / "root" / kho / "in/fdt").read_bytes()
    head = struct.unpack_from("<Q", tree, 104)[0]
    for name in ("out/scratch_phys", "out/scratch_len", "out/finalize", "in/fdt"):
        place.file(f"/{kho}/{name}", (recorded / "root" / kho / name).read_bytes())
    blob = (recorded / "root" / kho / "in/sub_fdts/memblock").read_bytes()
    place.file(f"/{kho}/in/sub_fdts/memblock", blob)
    place.directory(f"/{kho}/out/sub_fdts")
    start = struct.unpack_from("<Q", blob, 0x94)[0]
    assert start == 0x7F9CD000
    bitmap_at = head + PAGE
    base = start // (128 << 20) * (128 << 20)
    page = (start - base) // PAGE
    bitmap = bytearray(PAGE)
    bitmap[page >> 3] = 1 << (page & 7)
    chunk = struct.pack("<QIIQQ", 0, 0, 1, base, bitmap_at)
    place.pages({head: chunk, bitmap_at: bytes(bitmap)})
    source = place.open()
    snapshot = observe(source)
    left = residue.read(source, snapshot)
    assert not isinstance(left, Unknown)
    assert [(item.start, item.size) for item in left.ranges] == [(start, PAGE)]
    owned = residue.ownership(source, snapshot, left)
    assert owned.bytes_by_owner() == {Owner(OwnerKind.RESERVE_MEM, b"oops"): PAGE}
