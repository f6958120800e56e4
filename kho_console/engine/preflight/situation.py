"""What every check looks at: the machine, the image, and what is asked for with it."""

from kho_console.abi import command_line, luo
from kho_console.abi.command_line import CommandLine
from kho_console.engine.findings.facts import Facts
from kho_console.engine.generation import of_2024
from kho_console.model.blob import Blob
from kho_console.model.change import KexecImage
from kho_console.model.generation import Protocol
from kho_console.model.image import InitialRamDisk, KernelImage
from kho_console.model.session import Direction, Session
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Maybe, Unknown
from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Situation:
    """A machine and what is to be loaded on it.

    Attributes:
        facts: The machine, with its texts read.
        request: What is asked for.
        image: The kernel file.
        initrd: The initial RAM disk, None where none is given.
        line: The next kernel's command line.
    """

    facts: Facts
    request: KexecImage
    image: KernelImage
    initrd: InitialRamDisk | None
    line: CommandLine

    @classmethod
    def of(
        cls,
        snapshot: Snapshot,
        request: KexecImage,
        image: KernelImage,
        initrd: InitialRamDisk | None,
    ) -> "Situation":
        """The situation with its command lines read."""
        line = command_line.parse(request.command_line)
        return cls(Facts.of(snapshot), request, image, initrd, line)

    @property
    def snapshot(self) -> Snapshot:
        """The machine."""
        return self.facts.snapshot

    @property
    def hands_over(self) -> bool:
        """Whether this machine shows a handover that the image could carry."""
        return self.snapshot.unavailable is None and not self.request.crash

    @property
    def to_2024(self) -> bool:
        """Whether the image is a kernel of the series of 2024."""
        words = self.image.words
        if isinstance(words, Unknown) or Protocol.KHO_V1 not in words.kho:
            return False
        return of_2024(self.image.release)

    @property
    def live_update(self) -> Maybe[Blob | None]:
        """The outgoing `LUO` blob; None where live update is off here."""
        blobs = self.snapshot.outgoing.blobs
        if isinstance(blobs, Unknown):
            # Up to 6.18, which has no live update, there are blobs while finalized only.
            return None if self.snapshot.liveupdate_device is False else blobs
        return self.snapshot.outgoing.blob(luo.NAME)

    @property
    def held_sessions(self) -> Maybe[tuple[Session, ...]]:
        """The sessions that a process holds for the next kernel, as far as can be told."""
        found = self.snapshot.inventory.sessions
        if isinstance(found, Unknown):
            return found
        return tuple(
            item for item in found if item.holders and item.direction is not Direction.INCOMING
        )
