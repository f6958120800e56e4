"""A console that shows a crash image and happenings as a test makes them up."""

from collections.abc import Sequence
from dataclasses import replace

from kho_console.config.settings import Settings
from kho_console.engine.log_lines import LogLine
from kho_console.engine.observer import Look, Observer, View
from kho_console.model.crash import CoreHeader, Coverage, CpuNotes, CrashImage, Room
from kho_console.model.event import Event
from kho_console.model.happening import Effect, Flow, Gap, Happening
from kho_console.source.fixture import FixtureSource
from kho_console.tui.app import KhoConsole
from tests.pilot.machines import NEVER
from tests.recordings import folder

MIB = 1 << 20
GIB = 1 << 30
BLOCK = 128 * MIB
TAKEN = 1000.0
COMPLETE = Coverage(2 * GIB, 2 * GIB, (), (), ())
QUIET = Flow(0, 0.0, 0, 0, 0)


def image(**changed: object) -> CrashImage:
    """A loaded one whose dump would be complete, with other fields."""
    whole = CrashImage(
        taken=TAKEN,
        armed=True,
        address=0x6F000000,
        header=CoreHeader(62, True, (), ()),
        residue=False,
        cpus=CpuNotes(4, 4, ()),
        vmcoreinfo=True,
        coverage=COMPLETE,
        room=Room(4096, 462_848, 3, 8_260),
    )
    return replace(whole, **changed)  # type: ignore[arg-type]


def blocks(
    action: str, devices: Sequence[int], at: float, number: int, before: Effect, after: Effect
) -> Happening:
    """What the blocks of a DIMM did, an event each."""
    events = tuple(
        Event(at + step / 10, action, "memory", f"memory{device}", 100 * number + step)
        for step, device in enumerate(devices)
    )
    size = len(devices) * BLOCK
    return Happening(action, "memory", devices, 1, size, events, before, after, number)


class Shown(Observer):
    """Looks at a recording, and shows it with another crash image and other happenings.

    Attributes:
        crash: The crash image.
        happenings: See `View`.
        flow: See `View`.
        log: See `View`.
        age: Seconds since the header was read.
        locked: Seconds from reading what takes the kexec lock to reading the header.
    """

    def __init__(self, crash: CrashImage, happenings: Sequence[Happening | Gap] = ()) -> None:
        super().__init__(FixtureSource(folder("linux-7.3.4/ready")))
        self.crash = crash
        self.happenings = tuple(happenings)
        self.flow = QUIET
        self.log: tuple[LogLine, ...] = ()
        self.age = self.locked = 0.0

    def look(self, wanted: Look = Look.FULL) -> View:
        view = super().look(wanted)
        machine = replace(view.snapshot.source, kind="live")
        taken = self.crash.taken + self.age
        costly = replace(view.snapshot.inventory, lock_taken=self.crash.taken - self.locked)
        snapshot = replace(
            view.snapshot, source=machine, crash=self.crash, taken=taken, inventory=costly
        )
        return replace(
            view, snapshot=snapshot, happenings=self.happenings, flow=self.flow, log=self.log
        )


def shown(observer: Shown) -> KhoConsole:
    return KhoConsole(observer, settings=Settings(interval=NEVER))
