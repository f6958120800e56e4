"""Images that only a twin has, `twin:7.3.4`, as if they had been read from files."""

from kho_console.model.change import KexecImage
from kho_console.model.image import ImageFormat, ImageWords, KernelImage
from kho_console.model.unknown import Cause, Unknown
from kho_console.source.protocol import SourceError
from kho_console.twin import ImageTold, simulated
from kho_console.twin.release import Release, release_of

_OPTIONS = ("KEXEC_HANDOVER", "KEXEC_FILE", "KEXEC_HANDOVER_DEBUGFS")
_SESSIONS, _FLB = "luo-session-v2", "luo-flb-v1"


def kernel(name: str, machine: str, page_size: int) -> KernelImage:
    """The kernel behind such a name, built for the machine that it is for.

    Raises:
        SourceError: How a kernel of that release behaves is not known.
    """
    try:
        told = simulated(KexecImage(name, None, b""))
    except OSError as error:
        reason = error.strerror or str(error)
        raise SourceError(name, Unknown(Cause.UNSUPPORTED, reason), error.errno) from error
    row = release_of(told.release)
    return KernelImage(
        format=ImageFormat.BZIMAGE if machine == "x86_64" else ImageFormat.ARM64,
        size=0,
        release=told.release,
        complete=True,
        machine=machine,
        page_size=page_size,
        memory_size=told.memory_size,
        alignment=2 << 20,
        command_line_limit=2047,
        signed=False,
        five_levels=True,
        compression="none",
        words=ImageWords(told.kho, _live_update(told.luo, row), told.memfd),
        config={f"CONFIG_{option}": "y" for option in _built(told, row)},
        announced=0,
    )


def _live_update(words: tuple[str, ...], row: Release | None) -> tuple[str, ...]:
    """The words of the tree of 6.19 to 7.1 besides its own."""
    if "luo-v1" not in words:
        return words
    flb = (_FLB,) if row is not None and row.flb else ()
    return (*words, *flb, _SESSIONS)


def _built(told: ImageTold, row: Release | None) -> tuple[str, ...]:
    if not told.kho:
        return ("KEXEC_FILE",)
    if row is not None and row.inline:
        return ("KEXEC_KHO", "KEXEC_FILE")
    return (*_OPTIONS, "LIVEUPDATE") if told.luo else _OPTIONS
