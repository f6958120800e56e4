"""Kernels and initial RAM disks on the operator's disk, read before anything is loaded."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePath
from threading import Thread

from kho_console.abi import initrd, kernel_config, kernel_image
from kho_console.abi.error import FormatError
from kho_console.model.image import InitialRamDisk, KernelImage
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import SourceError
from kho_console.source.regular import read_regular
from kho_console.source.regular_file import RegularFile

_CONFIG_LIMIT = 8 << 20

Progress = Callable[[str, int, int], None]
"""Told the path that is being read, the bytes done and the bytes of the file."""


class CancelledError(Exception):
    """The reading was called off."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Who follows the reading of large files.

    Attributes:
        progress: Told how far it is.
        cancelled: Asked now and then whether to stop.
    """

    progress: Progress | None = None
    cancelled: Callable[[], bool] | None = None

    def tell(self, path: str, done: int, size: int) -> None:
        """Pass on how far a file is read.

        Raises:
            CancelledError: It was called off.
        """
        if self.cancelled is not None and self.cancelled():
            raise CancelledError
        if self.progress is not None:
            self.progress(path, done, size)


NOBODY = Watch()


def kernel(path: str, watch: Watch = NOBODY) -> KernelImage:
    """What a kernel file is and says, with the configuration beside it where it has none.

    Raises:
        SourceError: The file cannot be read, or is no regular file.
        CancelledError: It was called off.
    """
    with RegularFile(path) as file:
        found = kernel_image.read(file, lambda at: watch.tell(path, at, file.size))
    watch.tell(path, found.size, found.size)
    found = replace(found, identity=file.identity)
    if not isinstance(found.config, Unknown) or isinstance(found.release, Unknown):
        return found
    return replace(found, config=_config_beside(path, found.release, found.config))


def initial_ram_disk(path: str, watch: Watch = NOBODY) -> InitialRamDisk:
    """What an initial RAM disk is made of.

    Raises:
        SourceError: The file cannot be read, or is no regular file.
        CancelledError: It was called off.
    """
    with RegularFile(path) as file:
        found = initrd.read(file, lambda at: watch.tell(path, at, file.size))
    watch.tell(path, found.size, found.size)
    return replace(found, identity=file.identity)


class Reading:
    """Both files, read by a thread of its own: the machine is looked at meanwhile."""

    def __init__(self, kernel: str, initrd: str | None, watch: Watch = NOBODY) -> None:
        """Begin at once."""
        self._paths = kernel, initrd
        self._watch = watch
        self._found: tuple[KernelImage, InitialRamDisk | None] | None = None
        self._error: BaseException | None = None
        self._thread = Thread(target=self._read, name="image", daemon=True)
        self._thread.start()

    def result(self) -> tuple[KernelImage, InitialRamDisk | None]:
        """What they are, once they are read.

        Raises:
            SourceError: A file cannot be read.
            CancelledError: It was called off.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._found is not None
        return self._found

    def _read(self) -> None:
        path, disk = self._paths
        try:
            found = kernel(path, self._watch)
            self._found = found, None if disk is None else initial_ram_disk(disk, self._watch)
        except BaseException as error:
            self._error = error


def _config_beside(path: str, release: str, why: Unknown) -> Maybe[Mapping[str, str]]:
    """`config-RELEASE` beside the kernel, or in /boot, where distributions put it."""
    name = f"config-{release}"
    if PurePath(name).name != name:
        return why
    for place in (str(PurePath(path).with_name(name)), f"/boot/{name}"):
        try:
            return kernel_config.parse(read_regular(place, place, _CONFIG_LIMIT))
        except SourceError:
            continue
        except FormatError as error:
            return Unknown(Cause.INVALID, f"{place}: {error.reason}", error.offset)
    return Unknown(why.cause, f"{why.reason}, and no {name} is beside it or in /boot")
