"""Where the stream is: `migrate_stream=` (v1) and `kstate_stream=` (v2), as their kernels read it.

The two give their numbers in opposite order: SIZE@ADDRESS there, ADDRESS@SIZE here.
"""

from kho_console.abi.memparse import memparse
from kho_console.model.kstate import KstateVersion
from kho_console.model.value import dataclass

OPTIONS = {
    KstateVersion.V1: b"migrate_stream",
    KstateVersion.V2: b"kstate_stream",
    KstateVersion.DEV: b"kstate_stream",
}
"""The option of each series; v3 has none, its stream comes through the handover."""


_NOWHERE = (1 << 64) - 1
"""What the address is where no option was read."""


@dataclass(frozen=True, slots=True)
class StreamPlace:
    """What an option says.

    Attributes:
        address: Physical address of the stream; None leaves the kernel without one.
        size: Bytes; v1 reads it and never uses it.
        refused: Whether the option is -EINVAL. With a value that is no number the address is 0
            all the same, and the kernel takes itself for one that has a stream.
    """

    address: int | None
    size: int
    refused: bool = False

    @property
    def migrated(self) -> bool:
        """Whether the kernel believes that a stream is there."""
        return self.address not in (None, _NOWHERE)


def parse(text: bytes | None, version: KstateVersion) -> StreamPlace:
    """The value of the option of a series; None where it has no `=`.

    Raises:
        ValueError: The series has no option.
    """
    if version not in OPTIONS:
        raise ValueError(f"{version} has no option for its stream")
    if text is None:
        return StreamPlace(None, 0, refused=True)
    first, length = memparse(text)
    rest = text[length:]
    if not rest.startswith(b"@"):
        return StreamPlace(first, 0, refused=not length)
    second = memparse(rest[1:])[0]
    if version is KstateVersion.V1:
        return StreamPlace(second, first)
    return StreamPlace(first, second)


def write(place: StreamPlace, version: KstateVersion) -> bytes:
    """What the kernel puts before the next one's command line, the space behind it included.

    Raises:
        ValueError: The series has no option, or there is no address.
    """
    if version not in OPTIONS or place.address is None:
        raise ValueError(f"{version}: nothing to write")
    size = b"" if version is KstateVersion.V1 else b"@%d" % place.size
    return b"%s=0x0%x%s " % (OPTIONS[version], place.address, size)
