"""A recording with any of its files damaged still gives a snapshot, and findings."""

from functools import partial
from pathlib import Path

import pytest

from kho_console.engine.diagnose import diagnose
from kho_console.engine.observe import observe
from kho_console.model.snapshot import Snapshot
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import Source
from tests.abi.page_memory import PageMemory, recorded
from tests.fuzz.guard import MOST_BYTES, Hang, no_hang, peak_of
from tests.fuzz.mutation import CASES, case, mutated
from tests.fuzz.overlay import Overlay
from tests.recordings import FIXTURES

MOMENTS = (
    "linux-6.18.15/ready",
    "linux-7.1.13/restored",
    "linux-7.1.13/sessions",
    "linux-7.3.4/restored",
    "linux-7.3.4/sessions",
)
SHARE = 0.02
MEASURED = 20


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a recording by path."""
    top = folder / "root"
    return {
        "/" + str(path.relative_to(top)): path.read_bytes()
        for path in sorted(top.rglob("*"))
        if path.is_file() and path.name != ".empty"
    }


def looked_at(source: Source) -> None:
    snapshot = observe(source)
    assert isinstance(snapshot, Snapshot)
    diagnose(snapshot)


@pytest.mark.parametrize("moment", MOMENTS)
def test_any_file_may_be_damaged(moment: str) -> None:
    folder = FIXTURES / moment
    files, good = files_of(folder), recorded(moment)
    recording = FixtureSource(folder)
    looked_at(Overlay(recording, {}, good))
    read = sorted({address & -4096 for address, _ in good.reads} & good.pages.keys())
    handover = [path for path in files if "/kho/" in path or "setup_data" in path]
    for number in range(max(1, int(CASES * SHARE))):
        chance = case(moment, number)
        paths = chance.choice((handover, handover, sorted(files)))
        chosen = {path: mutated(chance, files[path]) for path in chance.sample(paths, 1)}
        pages = PageMemory(good.pages)
        if read and chance.random() < 0.6:
            page = chance.choice(read)
            pages.pages[page] = mutated(chance, pages.pages[page]).ljust(4096, b"\0")[:4096]
        source = Overlay(recording, chosen, pages)
        try:
            with no_hang(moment):
                if number % MEASURED:
                    looked_at(source)
                else:
                    assert peak_of(partial(looked_at, source)) < MOST_BYTES
        except (Exception, Hang) as error:
            error.add_note(f"fuzz case: {moment} {number}: {sorted(chosen)}")
            raise
