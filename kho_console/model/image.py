"""A kernel image and an initial RAM disk, as read from their files before anything is loaded."""

from collections.abc import Mapping
from enum import StrEnum

from kho_console.model.file_identity import FileIdentity
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass

_NOT_TOLD = Unknown(Cause.ABSENT, "the format does not tell")


class ImageFormat(StrEnum):
    """What a kernel file is, by its own bytes."""

    BZIMAGE = "bzImage"
    ARM64 = "arm64 Image"
    RISCV = "riscv Image"
    ZBOOT = "EFI zboot"
    UKI = "unified kernel image"
    ELF = "ELF"
    COMPRESSED = "compressed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ImageWords:
    """The versions of the handover that a kernel speaks, by the strings in it.

    Attributes:
        kho: Words such as `kho-v4`, ascending.
        luo: Words such as `luo-v5`.
        memfd: Words such as `memfd-v2`.
    """

    kho: tuple[str, ...]
    luo: tuple[str, ...]
    memfd: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KernelImage:
    """One kernel file.

    Attributes:
        format: What it is.
        size: Bytes of the file.
        release: `uname -r` of the kernel in it.
        complete: Whether all bytes that its header announces are there.
        machine: `uname -m` it is for, as `x86_64`.
        page_size: Bytes; unknown where the format does not tell.
        memory_size: Bytes of memory it needs from its load address on (x86 `init_size`, arm64
            `image_size`).
        alignment: Bytes its load address must be a multiple of.
        command_line_limit: Longest command line it takes, bytes without NUL.
        signed: Whether a signature is attached; says nothing of who trusts it.
        five_levels: Whether it can run with five-level paging; x86 only.
        compression: Of its payload, as `zstd`; `none` where there is none.
        words: What it speaks.
        config: Its build configuration by option name, `CONFIG_X` to `y`, `m` or a value.
        announced: Bytes that the file must have by its headers.
        faults: What in it a loader of its kind refuses, or what is damaged, one phrase each.
        identity: Which file it is; None for one that is no file.
    """

    format: ImageFormat
    size: int
    release: Maybe[str]
    complete: Maybe[bool]
    machine: Maybe[str]
    page_size: Maybe[int]
    memory_size: Maybe[int]
    alignment: Maybe[int]
    command_line_limit: Maybe[int]
    signed: Maybe[bool]
    five_levels: Maybe[bool]
    compression: Maybe[str]
    words: Maybe[ImageWords]
    config: Maybe[Mapping[str, str]]
    announced: Maybe[int] = _NOT_TOLD
    faults: tuple[str, ...] = ()
    identity: FileIdentity | None = None


@dataclass(frozen=True, slots=True)
class InitialRamDisk:
    """One initrd file.

    Attributes:
        size: Bytes of the file.
        members: Formats of the archives in it in order, as `cpio` or `zstd`.
        releases: Kernel releases whose modules are in it; empty where it has none.
        identity: Which file it is.
    """

    size: int
    members: Maybe[tuple[str, ...]]
    releases: Maybe[tuple[str, ...]]
    identity: FileIdentity | None = None
