"""Kernel files of every format that a kexec meets, told by their own bytes."""

from collections.abc import Callable
from dataclasses import replace

from kho_console.abi import bzimage, compressed, elf, kernel_payload, pe, raw_image, zboot
from kho_console.abi.bzimage import BzImage
from kho_console.abi.error import FormatError
from kho_console.abi.kernel_payload import Payload, Tell
from kho_console.abi.pe import PeFile
from kho_console.abi.raw_image import RawImage
from kho_console.abi.reader import Bytes, Part, Reader
from kho_console.model.image import ImageFormat, KernelImage
from kho_console.model.unknown import Cause, Maybe, Unknown

_HEAD = 0x1000
_UKI_KERNEL, _UKI_RELEASE = b".linux", b".uname"
_Form = Callable[[Reader, Tell | None], KernelImage]
_COMMAND_LINE = 2047
"""COMMAND_LINE_SIZE of arm64 and riscv, less the NUL."""

_ELF_MACHINES = {
    62: "x86_64",
    183: "aarch64",
    243: "riscv64",
    21: "ppc64le",
    22: "s390x",
    258: "loongarch64",
}

_NOT_TOLD = Unknown(Cause.ABSENT, "the format does not tell")


def read(reader: Reader, tell: Tell | None = None) -> KernelImage:
    """What a kernel file is and says.

    Args:
        reader: The file.
        tell: Called with the offset that was read up to, now and then.
    """
    head = reader.read(0, _HEAD)
    forms: tuple[tuple[bool, ImageFormat, _Form], ...] = (
        (bzimage.told(head), ImageFormat.BZIMAGE, _bzimage),
        (zboot.told(head), ImageFormat.ZBOOT, _zboot),
        (raw_image.told(head), ImageFormat.ARM64, _raw),
        (head.startswith(pe.MAGIC), ImageFormat.UNKNOWN, _uki),
        (head.startswith(elf.MAGIC), ImageFormat.ELF, _elf),
        (compressed.told_by_magic(head) is not None, ImageFormat.COMPRESSED, _compressed),
    )
    for is_one, form, decode in forms:
        if is_one:
            try:
                return decode(reader, tell)
            except FormatError as error:
                return _damaged(reader, form, error)
    return _unknown(reader)


def _damaged(reader: Reader, form: ImageFormat, error: FormatError) -> KernelImage:
    """A file whose headers cannot be followed to their end."""
    why = Unknown(Cause.INVALID, error.reason, error.offset)
    return replace(
        _unknown(reader),
        format=form,
        release=why,
        complete=False if error.offset >= reader.size else why,
        compression=why,
        words=why,
        config=why,
        announced=why,
        faults=(error.reason,),
    )


def _bzimage(reader: Reader, tell: Tell | None) -> KernelImage:
    header = bzimage.read(reader)
    payload = _bzimage_payload(reader, header, tell)
    missing = Unknown(Cause.ABSENT, "the header names no release")
    return KernelImage(
        format=ImageFormat.BZIMAGE,
        size=reader.size,
        release=_release(header.release) if header.release else missing,
        complete=payload.whole and header.announced <= reader.size,
        machine="x86_64",
        page_size=4096,
        memory_size=header.memory_size or _NOT_TOLD,
        alignment=header.alignment or _NOT_TOLD,
        command_line_limit=header.command_line_limit,
        signed=header.pe is not None and header.pe.signed,
        five_levels=header.five_levels,
        compression=payload.compression,
        words=payload.words,
        config=payload.config,
        announced=header.announced,
        faults=(*header.refusals, *_faults(payload)),
    )


def _bzimage_payload(reader: Reader, header: BzImage, tell: Tell | None) -> Payload:
    start, size = header.payload_offset, header.payload_size
    end = header.setup_size + header.code_size
    if not size:
        return replace(kernel_payload.no_payload("the header names no payload"), whole=True)
    if start + size > end:
        return kernel_payload.no_payload("the payload does not lie inside the kernel's code")
    if start + size > reader.size:
        return kernel_payload.no_payload("the file ends in the payload")
    return _payload(reader, start, size, tell)


def _zboot(reader: Reader, tell: Tell | None) -> KernelImage:
    header = zboot.read(reader)
    form = kernel_payload.compression_at(reader, header.payload_offset)
    end = header.payload_offset + header.payload_size
    if end > reader.size or form is None:
        reason = "the file ends in the payload" if form else "the payload's compression is unknown"
        payload = kernel_payload.no_payload(reason)
    else:
        payload = _payload(reader, header.payload_offset, header.payload_size, tell)
    announced = max(end, header.pe.end)
    whole = payload.whole and announced <= reader.size
    inner = _inner(ImageFormat.ZBOOT, reader, payload, header.pe.machine)
    signed = header.pe.signed
    return replace(inner, complete=whole, signed=signed, announced=announced)


def _raw(reader: Reader, tell: Tell | None) -> KernelImage:
    payload = kernel_payload.plain_payload(reader, 0, reader.size, tell)
    image = _inner(ImageFormat.ARM64, reader, payload, None)
    headers = raw_image.read(reader).pe
    if headers is None:
        return image
    return _held_against(replace(image, signed=headers.signed), headers.end)


def _held_against(image: KernelImage, announced: int) -> KernelImage:
    """A kernel that lies in its file as it is; what it says may be in the part that is cut off."""
    if announced <= image.size:
        return replace(image, complete=True, announced=announced)
    why = Unknown(Cause.TRUNCATED, "the file ends before the kernel does")
    return replace(
        image,
        complete=False,
        announced=announced,
        words=why,
        release=why if isinstance(image.release, Unknown) else image.release,
        config=why if isinstance(image.config, Unknown) else image.config,
    )


def _uki(reader: Reader, tell: Tell | None) -> KernelImage:
    """A PE file with a kernel in a section of it."""
    headers = pe.read(reader)
    kernel = headers.section(_UKI_KERNEL)
    if kernel is None:
        return _unknown(reader)
    part = Part(reader, kernel.offset, kernel.size)
    if part.read(0, 2) == pe.MAGIC and _nested(part):
        raise FormatError(kernel.offset, "a unified kernel image inside another one")
    inner = read(part, tell)
    whole = inner.complete if headers.end <= reader.size else False
    return replace(
        inner,
        format=ImageFormat.UKI,
        size=reader.size,
        release=_named_release(reader, headers, inner.release),
        complete=whole,
        signed=headers.signed,
        announced=headers.end,
    )


def _nested(part: Reader) -> bool:
    head = part.read(0, _HEAD)
    return not (bzimage.told(head) or zboot.told(head) or raw_image.told(head))


def _named_release(reader: Reader, headers: PeFile, inner: Maybe[str]) -> Maybe[str]:
    """The kernel's own word before that of the section."""
    section = headers.section(_UKI_RELEASE)
    if not isinstance(inner, Unknown) or section is None:
        return inner
    found = reader.read(section.offset, min(section.size, 256)).strip(b"\0\n ")
    return _release(found) if found else inner


def _elf(reader: Reader, tell: Tell | None) -> KernelImage:
    payload = kernel_payload.plain_payload(reader, 0, reader.size, tell)
    image = _inner(ImageFormat.ELF, reader, payload, None)
    header = elf.read_header(reader.read(0, elf.HEADER_SIZE))
    table = reader.read(header.table_offset, header.table_size)
    entries = elf.read_program_headers(header, table)
    announced = max((entry.offset + entry.file_size for entry in entries), default=0)
    return _held_against(image, announced)


def _compressed(reader: Reader, tell: Tell | None) -> KernelImage:
    payload = _payload(reader, 0, reader.size, tell)
    return replace(
        _inner(ImageFormat.COMPRESSED, reader, payload, None),
        complete=_NOT_TOLD if not payload.head and payload.whole else payload.whole,
        signed=False,
    )


def _payload(reader: Reader, start: int, size: int, tell: Tell | None) -> Payload:
    form = kernel_payload.compression_at(reader, start)
    if form is not None:
        return kernel_payload.compressed_payload(reader, start, size, form, tell)
    if reader.read(start, 4) == elf.MAGIC:
        return kernel_payload.plain_payload(reader, start, size, tell)
    return kernel_payload.no_payload("the payload's compression is unknown")


def _inner(form: ImageFormat, reader: Reader, payload: Payload, machine: str | None) -> KernelImage:
    """What the kernel itself says once it is expanded; of the file around it only its size."""
    image = replace(
        _unknown(reader),
        format=form,
        machine=machine or _NOT_TOLD,
        release=_release(payload.banner) if payload.banner else _no_banner(payload),
        compression=payload.compression,
        words=payload.words,
        config=payload.config,
        complete=_NOT_TOLD,
        announced=_NOT_TOLD,
        faults=tuple(_faults(payload)),
    )
    if raw_image.told(payload.head):
        return _with_header(image, raw_image.read(Bytes(payload.head)))
    if payload.head.startswith(elf.MAGIC):
        header = elf.read_header(payload.head)
        return replace(image, machine=_ELF_MACHINES.get(header.machine, image.machine))
    return image


def _with_header(image: KernelImage, header: RawImage) -> KernelImage:
    form = image.format
    if form is ImageFormat.ARM64 and header.machine == "riscv64":
        form = ImageFormat.RISCV
    return replace(
        image,
        format=form,
        machine=header.machine,
        page_size=header.page_size or _NOT_TOLD,
        memory_size=header.memory_size or _NOT_TOLD,
        alignment=raw_image.ALIGNMENT,
        command_line_limit=_COMMAND_LINE,
        faults=(*image.faults, *header.refusals),
    )


def _unknown(reader: Reader) -> KernelImage:
    why = Unknown(Cause.UNSUPPORTED, "it is no kernel of a format known here")
    return KernelImage(
        format=ImageFormat.UNKNOWN,
        size=reader.size,
        release=why,
        complete=why,
        machine=why,
        page_size=_NOT_TOLD,
        memory_size=_NOT_TOLD,
        alignment=_NOT_TOLD,
        command_line_limit=_NOT_TOLD,
        signed=_NOT_TOLD,
        five_levels=_NOT_TOLD,
        compression=why,
        words=why,
        config=why,
        announced=why,
    )


def _no_banner(payload: Payload) -> Unknown:
    if isinstance(payload.words, Unknown):
        return payload.words
    return Unknown(Cause.ABSENT, "the kernel does not name its release")


def _faults(payload: Payload) -> tuple[str, ...]:
    return () if payload.fault is None else (payload.fault,)


def _release(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
