"""The kernel file itself: all there, and of a kind that this machine's loader takes."""

from collections.abc import Iterator

from kho_console.engine.preflight.naming import name as named
from kho_console.engine.preflight.situation import Situation
from kho_console.model.check import Check, Result
from kho_console.model.image import ImageFormat
from kho_console.model.unknown import Unknown

_TAKEN = {
    "x86_64": (ImageFormat.BZIMAGE,),
    "aarch64": (ImageFormat.ARM64,),
    "riscv64": (ImageFormat.RISCV, ImageFormat.ELF),
    "ppc64le": (ImageFormat.ELF,),
    "s390x": (ImageFormat.ELF,),
}
"""What `kexec_file_load` has a loader for (arch/*/kernel, machine_kexec_file.c and others)."""

_WRAPPED = (ImageFormat.ZBOOT, ImageFormat.UKI, ImageFormat.COMPRESSED)


def complete(now: Situation) -> Iterator[Check]:
    """On x86 the kernel loads a file that is cut short without complaint."""
    name, image = "image-complete", now.image
    remedy = "copy the file again, and compare its size and checksum"
    evidence = f"the file has {image.size} bytes"
    if not isinstance(image.announced, Unknown):
        evidence += f", its headers announce {image.announced}"
    if image.complete is False:
        text = "the kernel file is cut short"
        evidence = "; ".join((evidence, *_payload_fault(now)))
        yield Check(name, Result.FAIL, text, evidence, remedy)
    elif isinstance(image.complete, Unknown):
        text = "whether the kernel file is complete is not known"
        yield Check(name, Result.UNKNOWN, text, f"{evidence}; {image.complete.reason}", remedy)
    else:
        yield Check(name, Result.PASS, "the kernel file is complete", evidence)


def accepted(now: Situation) -> Iterator[Check]:
    """Whether the loader of this architecture takes it."""
    name, image, here = "image-format", now.image, now.snapshot.machine.architecture
    evidence = f"{image.format}; this machine is {named(here)}"
    taken = _TAKEN.get(here)
    if image.faults:
        text = "the kernel file is damaged, or the loader refuses it"
        yield Check(name, Result.FAIL, text, f"{evidence}; {'; '.join(image.faults)}", _OTHER)
    elif taken is None:
        text = "what this machine's loader takes is not known here"
        yield Check(name, Result.UNKNOWN, text, evidence)
    elif image.format in taken:
        yield Check(name, Result.PASS, "the loader of this machine takes this format", evidence)
    else:
        remedy = _UNWRAP if image.format in _WRAPPED else _OTHER
        text = f"kexec_file_load takes {' or '.join(taken)} on this machine"
        yield Check(name, Result.FAIL, text, evidence, remedy)


_UNWRAP = "take the kernel out of it, for example with kexec-tools 2.0.31 or systemd 261"
_OTHER = "give another kernel file"


def architecture(now: Situation) -> Iterator[Check]:
    """A kernel of another architecture does not start."""
    name, wanted, here = "architecture", now.image.machine, now.snapshot.machine.architecture
    if isinstance(wanted, Unknown):
        text = "for which architecture the kernel is built is not known"
        yield Check(name, Result.UNKNOWN, text, wanted.reason)
    elif wanted == here:
        yield Check(name, Result.PASS, "the kernel is built for this architecture", wanted)
    else:
        text = "the kernel is built for another architecture"
        yield Check(name, Result.FAIL, text, f"{wanted}; this machine is {named(here)}", _OTHER)


def page_size(now: Situation) -> Iterator[Check]:
    """Both kernels count in pages of their own; the format carries no page size."""
    name, wanted, here = "page-size", now.image.page_size, now.snapshot.machine.page_size
    if isinstance(wanted, Unknown):
        text = "the page size of the kernel is not known"
        yield Check(name, Result.UNKNOWN, text, wanted.reason)
    elif wanted == here:
        yield Check(name, Result.PASS, "both kernels have the same page size", f"{here} bytes")
    elif not now.hands_over:
        evidence = f"{wanted} bytes there, {here} here"
        text = "the kernels differ in page size; a processor may not know the other one"
        yield Check(name, Result.WARNING, text, evidence, "see that it has started here before")
    else:
        evidence = f"{wanted} bytes there, {here} here"
        text = "the kernels differ in page size: preserved memory cannot be handed over"
        yield Check(name, Result.FAIL, text, evidence, "give a kernel of the same page size")


def paging_levels(now: Situation) -> Iterator[Check]:
    """Only x86 has the choice; whether this machine runs five levels no file here tells."""
    found = now.image.five_levels
    if found is False:
        text = "the kernel cannot take over from one that runs five-level paging"
        remedy = "see whether /proc/cpuinfo lists la57; if so, give a kernel with 5-level support"
        yield Check("paging-levels", Result.WARNING, text, "xloadflags bit 5 is 0", remedy)
    elif found is True:
        text = "the kernel takes over from four and from five paging levels"
        yield Check("paging-levels", Result.PASS, text, "xloadflags bit 5 is 1")


def _payload_fault(now: Situation) -> Iterator[str]:
    if isinstance(now.image.words, Unknown):
        yield now.image.words.reason
