"""A twin: a machine whose kernels are simulated, and everything that can be done to it."""

import errno
import hashlib
import uuid
from contextlib import suppress

from kho_console.abi import kho2024_tree, runs
from kho_console.model.change import (
    Change,
    Execute,
    Execution,
    KexecImage,
    Load,
    Unload,
    Write,
)
from kho_console.model.event import Event
from kho_console.model.preserved import Runs
from kho_console.model.value import dataclass
from kho_console.source.protocol import Source
from kho_console.twin import dimms, hotplug, lifecycle, loading, showing
from kho_console.twin.boot import boot
from kho_console.twin.boot_parameters import Start
from kho_console.twin.crash import armed
from kho_console.twin.faults import (
    ASKED_FOR,
    Fault,
    Faults,
    LoadFails,
    MemoryShort,
    NextKernelPanics,
    WriteFails,
)
from kho_console.twin.hardware import Hardware
from kho_console.twin.history import Deed, Dimm, Loading, deed_of
from kho_console.twin.image import ImageTold, Tell, behaviour
from kho_console.twin.kernel import Kernel
from kho_console.twin.kho2024.carried import Carried2024
from kho_console.twin.kho2024.outgoing import FOLDER
from kho_console.twin.loading import Loaded
from kho_console.twin.refused import Panic, Refused
from kho_console.twin.tracker import all_ranges
from kho_console.twin.user_space import UserSpace

_SYSCTL = "/proc/sys/kernel/kexec_load_"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last kexec ended.

    Attributes:
        release: The kernel that was started.
        adopted: Whether it took the handover.
        offered: Preserved bytes that were left for it.
        kept: How many of them it keeps.
        panic: Why it gave up; None where it runs.
    """

    release: str
    adopted: bool
    offered: int
    kept: int
    panic: str | None = None


class Twin:
    """A simulated machine.

    Attributes:
        base: The fixture that it started from.
        hardware: What stays over a kexec.
        kernel: The running kernel.
        user: Its user space, as far as live update goes.
        faults: What will go wrong.
        boots: How often it was booted by a kexec.
        outcome: How the last kexec ended; None before the first.
        dead: Why nothing answers any more; None while it runs.
        events: CPUs and memory blocks that went on or off line.
        assumptions: What the fixture did not tell and the twin took for granted, in sentences.
        memory_total: Bytes of memory that a kernel without waiting files manages.
        history: What was done to it, in order.
    """

    def __init__(self, base: Source, kernel: Kernel, tell: Tell, assumptions: list[str]) -> None:
        """Run `kernel`."""
        self.base = base
        self.hardware: Hardware = kernel.hardware
        self.kernel = kernel
        self.tell = tell
        self.history: list[Deed] = []
        self.user = UserSpace(kernel, self.history)
        self.faults = Faults()
        self.boots = 0
        self.outcome: Outcome | None = None
        self.dead: str | None = None
        self.events: list[Event] = []
        self.assumptions = assumptions
        self.memory_total: int | None = None
        self.on_by_default = kernel.handover is not None and kernel.options.kho is None

    def change(self, change: Change) -> None:
        """Do what the kernel does.

        Raises:
            OSError: The kernel's answer.
        """
        self._check_alive()
        self.history.append(deed_of(change))
        if isinstance(change, Write):
            self._write(change)
        elif isinstance(change, Load):
            self._load(change)
        elif isinstance(change, Unload):
            self._unload(crash=change.crash)
        elif isinstance(change, Execute):
            self._execute(change.how)

    def change_again(self, change: Write | Unload | Execute) -> None:
        """Do what was done before; the kernel's answer is the same as then."""
        with suppress(OSError):
            self.change(change)

    def load_again(self, deed: Loading) -> None:
        """Load what was loaded before, whatever became of its files."""

        def told_then(_: KexecImage) -> ImageTold:
            if deed.told is None:
                raise Refused(errno.ENOEXEC, "nothing was told of it")
            return deed.told

        before, self.tell = self.tell, told_then
        try:
            with suppress(OSError):
                self.change(Load(deed.image))
        finally:
            self.tell = before

    def arm(self, fault: Fault) -> None:
        """Let something go wrong."""
        self.history.append(fault)
        if isinstance(fault, WriteFails):
            self.faults.writes.append(fault)
        elif isinstance(fault, LoadFails):
            self.faults.loads.append(fault)
        elif isinstance(fault, MemoryShort):
            self.kernel.allocator.left = fault.pages
        elif isinstance(fault, NextKernelPanics):
            self.faults.panic = fault.reason
        else:
            self.faults.producer = fault.errno

    def preserved(self) -> Runs:
        """All that the running kernel preserves now, finalized or not."""
        hand, inline = self.kernel.handover, self.kernel.inline
        if inline is not None:
            return inline.preserved
        return runs.empty() if hand is None else all_ranges(hand.preserver.tracker.blocks())

    def _write(self, change: Write) -> None:
        due = self.faults.write()
        if due is not None:
            raise Refused(due, ASKED_FOR)
        hand, inline = self.kernel.handover, self.kernel.inline
        folder, _, name = change.path.rpartition("/")
        if inline is not None and folder == FOLDER:
            inline.write(name, change.data, self.faults.refusal)
        elif hand is not None and change.path == f"{self.hardware.kho}/out/finalize":
            if hand.row.stateless:
                raise Refused(errno.ENOENT, "this release has no finalize step")
            self._finalize(change.data)
        elif change.path.startswith(_SYSCTL):
            self._set_limit(change.path.removeprefix(_SYSCTL), change.data)
        else:
            self._happened(hotplug.write(self.kernel, change.path, change.data))

    def plug(self, dimm: Dimm) -> None:
        """A DIMM comes, or one that is off line goes.

        Raises:
            Refused: There is memory already, or none such, or it is on line.
        """
        self._check_alive()
        self.history.append(dimm)
        for told in dimms.plug(self.kernel, dimm):
            self._happened(told)

    def _check_alive(self) -> None:
        if self.dead is not None:
            raise Refused(errno.EIO, f"the kernel is dead: {self.dead}")

    def _happened(self, told: tuple[str, str, str]) -> None:
        """An event, numbered from 0; what it does to the crash image comes before it."""
        number = len(self.events)
        self.events.append(Event(self.base.clock() + number, *told, number))

    def _finalize(self, data: bytes) -> None:
        hand = self.kernel.handover
        assert hand is not None
        due = self.faults.refusal()
        if due is None:
            lifecycle.write(hand, data)
            return

        def refuses(_: object) -> None:
            raise Refused(due, "a producer refuses")

        hand.producers.append(refuses)
        try:
            if not hand.row.reversible:
                raise Refused(due, "a producer refuses")
            lifecycle.write(hand, data)
        finally:
            hand.producers.remove(refuses)

    def _set_limit(self, name: str, data: bytes) -> None:
        limits = self.kernel.limits
        try:
            value = int(data)
        except ValueError as error:
            raise Refused(errno.EINVAL, "no number") from error
        if name == "disabled":
            if value != 1:
                raise Refused(errno.EINVAL, "it goes one way only")
            limits.disabled = True
        elif name in ("limit_reboot", "limit_panic"):
            crash = name == "limit_panic"
            old = limits.panic if crash else limits.reboot
            if value < 0 or 0 <= old < value:
                raise Refused(errno.EINVAL, "a limit can only shrink")
            if crash:
                limits.panic = value
            else:
                limits.reboot = value
        else:
            raise Refused(errno.ENOENT, name)
        self.kernel.show_limits()

    def _load(self, change: Load) -> None:
        kernel, image = self.kernel, change.image
        self._spend(crash=image.crash)
        loading.check_flags(kernel.row, image)
        if image.crash:
            # From here on the old crash image is gone, whatever comes.
            kernel.crash = None
            kernel.show_images()
        due = self.faults.load()
        if due is not None:
            raise Refused(due, ASKED_FOR)
        told = self.tell(image)
        self.history[-1] = Loading(image, told)
        loading.check_command_line(self.hardware.architecture, image)
        if image.crash:
            kernel.crash = loading.load_crash(self.hardware, image, told)
            armed.write_header(self.hardware)
        else:
            kernel.loaded = kernel.place(image, told)
        kernel.show_images()

    def _unload(self, *, crash: bool) -> None:
        self._spend(crash=crash)
        if crash:
            self.kernel.crash = None
        else:
            self.kernel.loaded = None
        self.kernel.show_images()

    def _spend(self, *, crash: bool) -> None:
        try:
            self.kernel.limits.spend(crash=crash)
        finally:
            self.kernel.show_limits()

    def _execute(self, how: Execution) -> None:
        kernel = self.kernel
        loaded = kernel.loaded
        if loaded is None:
            raise Refused(errno.EINVAL, "no image is loaded")
        if how is Execution.SYSTEMD:
            self.user.stop()
        self._live_update()
        offered = self._offered(loaded)
        try:
            self._start(loaded)
        except Panic as panic:
            self.dead = panic.reason
            told = loaded.told.release
            self.outcome = Outcome(told, False, offered.bytes, 0, panic.reason)
            return
        self._judge(offered)

    def _offered(self, loaded: Loaded) -> Runs:
        """Preserved memory that goes with an image."""
        if isinstance(loaded.carried, Carried2024):
            cache = kho2024_tree.read_mem_cache(loaded.carried.records)
            return kho2024_tree.pages_of(cache, self.hardware.page_size)
        return runs.empty() if loaded.carried is None else self.preserved()

    def _live_update(self) -> None:
        """What the reboot call does before it jumps."""
        kernel = self.kernel
        if kernel.outgoing is None:
            return
        due = self.faults.refusal()
        if due is not None:
            raise Refused(due, "a file handler refuses to freeze")
        kernel.outgoing.freeze()
        if kernel.handover is not None and not kernel.row.stateless:
            try:
                lifecycle.finalize(kernel.handover)
            except Refused as error:
                raise Refused(errno.EAGAIN, "the handover could not be finalized") from error

    def _start(self, loaded: Loaded) -> None:
        if self.faults.panic is not None:
            raise Panic(self.faults.panic)
        if loaded.carried is not None:
            loaded.carried.put(self.hardware.memory)
        self.boots += 1
        start = Start(
            behaviour(loaded.told),
            loaded.told.release,
            loaded.image.command_line,
            self._boot_id(),
            loaded.carried,
            self.on_by_default,
            loaded.segments,
        )
        self.kernel = boot(self.hardware, start)
        self.user = UserSpace(self.kernel, self.history)
        showing.show_memory(self.kernel, self.memory_total)

    def _judge(self, offered: Runs) -> None:
        """What of the offered memory the new kernel keeps."""
        kernel = self.kernel
        both = runs.joined([offered, kernel.came])
        size = offered.bytes
        kept = size + kernel.came.bytes - both.bytes
        taken = "found kexec handover data" in "\n".join(kernel.log or ())
        self.outcome = Outcome(kernel.release, taken, size, kept)

    def _boot_id(self) -> str:
        seed = f"{self.kernel.boot_id} {self.boots}".encode()
        return str(uuid.UUID(bytes=hashlib.sha256(seed).digest()[:16], version=4))
