"""The answers of the first patch of a series, which has the calls and nothing behind them."""

import errno

from kho_console.model.pkram import PkramVersion
from kho_console.twin.pkram.node import KernelBug
from kho_console.twin.refused import Refused

_VOID = ("finish_save_obj", "finish_save", "discard_save", "finish_load_obj", "finish_load")


class PkramStub:
    """The calls without PKRAM.

    Attributes:
        warnings: What the kernel warned of: v3 warns once and stops nothing.
    """

    def __init__(self, version: PkramVersion) -> None:
        """Answer as a series does; what the stubs of v2 say is not known.

        Raises:
            ValueError: The series is v2.
        """
        if version is PkramVersion.V2:
            raise ValueError("what the stubs of v2 answer is not known")
        self.warnings: list[str] = []
        self._plain = version is PkramVersion.V1

    def call(self, name: str) -> bytes | None:
        """Make the call of that name; None is a page that is not there, and bytes are none.

        Raises:
            Refused: ENOSYS in v1, EINVAL in v3.
            KernelBug: A call of v1 that answers nothing.
        """
        if name in _VOID and self._plain:
            raise KernelBug(f"{name} of a kernel without PKRAM")
        if not self._plain and not self.warnings:
            self.warnings.append(f"{name} of a kernel without PKRAM")
        if name in _VOID or (name == "load_page" and self._plain):
            return None
        if name == "read" and self._plain:
            return b""
        raise Refused(errno.ENOSYS if self._plain else errno.EINVAL, name)
