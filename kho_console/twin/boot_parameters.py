"""What a kernel is given to boot with."""

from kho_console.model.memory import MemoryRange
from kho_console.model.value import dataclass
from kho_console.twin.kho2024.carried import Carried2024
from kho_console.twin.loading import Carried
from kho_console.twin.release import Release


@dataclass(frozen=True, slots=True)
class Start:
    """What a kernel starts with.

    Attributes:
        row: How its release behaves.
        release: `uname -r`.
        command_line: Its command line.
        boot_id: Random id of this boot.
        carried: The handover that the boot protocol names.
        on_by_default: Whether it is built with KHO on.
        segments: Where the parts of its image lie.
    """

    row: Release
    release: str
    command_line: bytes
    boot_id: str
    carried: Carried | Carried2024 | None
    on_by_default: bool = False
    segments: tuple[MemoryRange, ...] = ()
