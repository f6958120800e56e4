"""What can be asked of a machine that changes it."""

from enum import IntFlag, StrEnum

from kho_console.model.file_identity import FileIdentity
from kho_console.model.value import dataclass

SIMULATED = "twin:"
"""How the name of a kernel begins that only a twin has: `twin:7.3.4`; it is no file."""


class Execution(StrEnum):
    """How a loaded image is started."""

    SYSTEMD = "systemctl kexec"
    """Services are stopped first; holders of live-update sessions too."""
    SYSTEM_CALL = "reboot(LINUX_REBOOT_CMD_KEXEC)"
    """At once: nothing is stopped, nothing is written back."""


class FileFlag(IntFlag):
    """Flags of `kexec_file_load` (include/uapi/linux/kexec.h, 7.3)."""

    UNLOAD = 0x01
    ON_CRASH = 0x02
    NO_INITRAMFS = 0x04
    DEBUG = 0x08
    NO_CMA = 0x10
    """From 6.17 on."""
    FORCE_DTB = 0x20
    """From 6.18 on."""


@dataclass(frozen=True, slots=True)
class KexecImage:
    """What `kexec_file_load` is given.

    Attributes:
        kernel: Path of the kernel's file.
        initrd: Path of the initial RAM disk, None for none.
        command_line: The next kernel's command line, without a NUL.
        crash: Whether it goes to the memory reserved for a crash kernel.
        flags: Further flags of the call; ON_CRASH and NO_INITRAMFS follow from the above.
    """

    kernel: str
    initrd: str | None
    command_line: bytes
    crash: bool = False
    flags: int = 0

    @property
    def all_flags(self) -> FileFlag:
        """The flags as the kernel gets them."""
        crash = FileFlag.ON_CRASH if self.crash else FileFlag(0)
        bare = FileFlag.NO_INITRAMFS if self.initrd is None else FileFlag(0)
        return FileFlag(self.flags) | crash | bare


@dataclass(frozen=True, slots=True)
class Write:
    """A file that is written in one call."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Load:
    """`kexec_file_load` of an image.

    Attributes:
        image: What is loaded.
        kernel: Which file was validated as its kernel; None where none was.
        initrd: The same of its initial RAM disk.
    """

    image: KexecImage
    kernel: FileIdentity | None = None
    initrd: FileIdentity | None = None

    def exchanged(self, now: "Load") -> str | None:
        """What is different of the files since, in words; None where nothing is known to be."""
        found = []
        for path, then, is_now in (
            (self.image.kernel, self.kernel, now.kernel),
            (self.image.initrd, self.initrd, now.initrd),
        ):
            why = None if then is None or is_now is None else then.changed(is_now)
            if why is not None:
                found.append(f"{path}: {why} since it was checked")
        return "; ".join(found) or None


@dataclass(frozen=True, slots=True)
class Unload:
    """`kexec_file_load` with the flag that drops what is loaded."""

    crash: bool = False

    @property
    def all_flags(self) -> FileFlag:
        """The flags as the kernel gets them."""
        return FileFlag.UNLOAD | (FileFlag.ON_CRASH if self.crash else FileFlag(0))


@dataclass(frozen=True, slots=True)
class Execute:
    """The kexec itself."""

    how: Execution


Change = Write | Load | Unload | Execute
"""One call that changes a machine."""


def described(change: Change) -> dict[str, str | int | None]:
    """The call and its arguments as plain values; bytes beyond ASCII as escapes."""
    match change:
        case Write(path, data):
            return {"call": "write", "path": _readable(path), "data": _readable(data)}
        case Load(image):
            return {
                "call": "kexec_file_load",
                "kernel": _readable(image.kernel),
                "initrd": None if image.initrd is None else _readable(image.initrd),
                "command_line": _readable(image.command_line),
                "flags": _names(image.all_flags),
            }
        case Unload():
            return {"call": "kexec_file_load", "flags": _names(change.all_flags)}
        case Execute(how):
            return {"call": how.value}


def _readable(text: str | bytes) -> str:
    raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    return raw.decode("ascii", "backslashreplace")


def _names(flags: FileFlag) -> str:
    return flags.name or f"0x{int(flags):x}"
