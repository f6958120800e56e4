"""One running kernel of a twin, and the files that tell of its images and limits."""

import errno
from dataclasses import field

from kho_console.abi import runs
from kho_console.abi.command_line import CommandLine
from kho_console.model.change import KexecImage
from kho_console.model.preserved import Runs
from kho_console.model.value import dataclass
from kho_console.twin import loading
from kho_console.twin.allocator import Allocator
from kho_console.twin.files import Failure
from kho_console.twin.handover import Handover
from kho_console.twin.hardware import Hardware
from kho_console.twin.image import ImageTold
from kho_console.twin.kho2024 import load as inline_load
from kho_console.twin.kho2024.outgoing import Outgoing2024
from kho_console.twin.loading import Limits, Loaded
from kho_console.twin.luo import Outgoing
from kho_console.twin.luo_incoming import Incoming
from kho_console.twin.release import Release

KEXEC = "/sys/kernel/kexec"
DEVICE = "/dev/liveupdate"
_CLASS = "/sys/class/misc/liveupdate"
_SYSCTL = "/proc/sys/kernel"
_HOTPLUG = ("/sys/devices/system/cpu/crash_hotplug", "/sys/devices/system/memory/crash_hotplug")


@dataclass
class Kernel:
    """A running kernel.

    Attributes:
        row: How its release behaves.
        release: `uname -r`.
        command_line: What it was booted with.
        options: The same, read.
        hardware: The machine.
        allocator: Its free memory.
        boot_id: Random id of this boot.
        handover: What it hands on; None where KHO is off, and in the series of 2024.
        inline: What a kernel of the series of 2024 hands on.
        outgoing: Its live-update side; None where live update is off.
        incoming: What live update received.
        came: Preserved ranges of the kernel before that it keeps.
        limits: What sysctl allows.
        loaded: The image for the next reboot.
        crash: The crash image.
        log: Its log; None where the recorded one stands.
        said: What it logged since it was simulated.
    """

    row: Release
    release: str
    command_line: bytes
    options: CommandLine
    hardware: Hardware
    allocator: Allocator
    boot_id: str
    handover: Handover | None = None
    inline: Outgoing2024 | None = None
    outgoing: Outgoing | None = None
    incoming: Incoming | None = None
    came: Runs = field(default_factory=runs.empty)
    limits: Limits = field(default_factory=Limits)
    loaded: Loaded | None = None
    crash: Loaded | None = None
    log: list[str] | None = None
    said: list[str] = field(default_factory=list)

    def place(self, image: KexecImage, told: ImageTold) -> Loaded:
        """Place a normal image, as `kexec_file_load` does.

        Raises:
            Refused: See `loading.load`.
        """
        if self.inline is not None:
            return inline_load.load(self.inline, image, told)
        return loading.load(self.row, self.hardware, self.handover, image, told)

    def show_images(self) -> None:
        """Tell which images are loaded."""
        put, loaded, crash = self.hardware.files.put, self.loaded, self.crash
        put("/sys/kernel/kexec_loaded", _flag(loaded is not None))
        put("/sys/kernel/kexec_crash_loaded", _flag(crash is not None))
        if self.row.kexec_folder:
            put(f"{KEXEC}/loaded", _flag(loaded is not None))
            put(f"{KEXEC}/crash_loaded", _flag(crash is not None))
        for path in _HOTPLUG:
            if self.hardware.files.stands(path):
                put(path, _flag(crash is not None))

    def show_limits(self) -> None:
        """Tell what loads are left."""
        put = self.hardware.files.put
        put(f"{_SYSCTL}/kexec_load_disabled", _flag(self.limits.disabled))
        put(f"{_SYSCTL}/kexec_load_limit_reboot", b"%d\n" % self.limits.reboot)
        put(f"{_SYSCTL}/kexec_load_limit_panic", b"%d\n" % self.limits.panic)

    def show_device(self) -> None:
        """Make /dev/liveupdate, which nothing can be read from."""
        self.hardware.files.put(DEVICE, Failure(errno.EINVAL))
        self.hardware.files.put(f"{_CLASS}/dev", b"10:258\n")


def _flag(value: bool) -> bytes:
    return b"1\n" if value else b"0\n"
