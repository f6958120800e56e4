"""Whether a machine may hand over to an image: every check, and what they come to."""

from kho_console.model.check import Check, Result
from kho_console.model.image import InitialRamDisk, KernelImage
from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found before anything is loaded.

    Attributes:
        image: The kernel file.
        initrd: The initial RAM disk, None where none is given.
        checks: All answers.
    """

    image: KernelImage
    initrd: InitialRamDisk | None
    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Result:
        """The worst answer; what is not known counts as a warning."""
        found = {item.result for item in self.checks}
        if Result.FAIL in found:
            return Result.FAIL
        if found & {Result.WARNING, Result.UNKNOWN}:
            return Result.WARNING
        return Result.PASS
