"""Memory that is not read without end."""

from kho_console.abi.memory import MissingMemory, PhysicalMemory


class BoundedMemory:
    """Gives only so many bytes in all: damaged records may name the same memory again and again.

    Attributes:
        exhausted: Whether more was asked for than there was.
    """

    def __init__(self, memory: PhysicalMemory, most: int) -> None:
        """Give at most `most` bytes of `memory`."""
        self.exhausted = False
        self._memory = memory
        self._most = most
        self._left = most

    def read(self, address: int, size: int) -> bytes:
        """See `PhysicalMemory.read`."""
        self._left -= size
        if self._left < 0:
            self.exhausted = True
            raise MissingMemory(address, f"records of more than {self._most} bytes are not read")
        return self._memory.read(address, size)
