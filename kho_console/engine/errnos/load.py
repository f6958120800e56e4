"""Errors of `kexec_file_load` (kernel/kexec_file.c, 6.16 to 7.3)."""

import errno
from contextlib import suppress
from pathlib import Path

from kho_console.engine.errnos.failure import Advice, Failure, not_asked, not_permitted
from kho_console.engine.findings.words import size
from kho_console.model.change import KexecImage, Load, Unload
from kho_console.model.generation import Protocol
from kho_console.model.unknown import Unknown

_SIGNATURE = {
    errno.ENODATA: "the kernel image has no signature, and one is demanded here",
    errno.ENOKEY: "the key of its signature is in no keyring that the kernel trusts, or one of the "
    "configured dm-crypt keys is missing",
    errno.EKEYREJECTED: "its signature is wrong, or this loader cannot check signatures at all",
    errno.EKEYREVOKED: "a key that it needs is revoked",
    errno.ELIBBAD: "it is a malformed PE file, so its signature cannot be checked",
    errno.EBADMSG: "its signature does not belong to its content",
    errno.EMSGSIZE: "the signature in it has a wrong size",
    errno.ENOPKG: "the kernel lacks a cipher or digest that its signature needs",
}
_SIGNED = "use an image that is signed with a key of this machine"

_PLAIN = {
    errno.ENOEXEC: (
        "no loader of this kernel takes the file: it is no kernel image for this machine, or is "
        "compressed, or a unified kernel image",
        "give the plain image (`kho-console check --kernel FILE` tells what the file is)",
    ),
    errno.ENOMEM: (
        "there is no memory for the image, or the process that loads it was killed for want of it",
        "free memory, or take a smaller initrd",
    ),
    errno.EBADF: ("a file of the image could not be used", "give both files anew"),
    errno.EFAULT: ("the kernel could not read the command line", "this is a fault of the console"),
    errno.ENOSYS: (
        "this kernel has no kexec_file_load",
        "use a kernel built with CONFIG_KEXEC_FILE; kexec_load is no way around it: it drops the "
        "handover",
    ),
    errno.EFBIG: ("a file of the image is larger than the kernel reads", "take smaller files"),
    errno.ETXTBSY: ("somebody has a file of the image open for writing", "wait until it is closed"),
    errno.EIO: ("a file of the image cannot be read", "check the disk"),
}


_OF_FILES = (errno.ENOENT, errno.EACCES, errno.EISDIR, errno.ENOTDIR, errno.ELOOP)
"""What opening one of them answers, before the kernel is asked for anything."""


def meaning(failure: Failure, change: Load | Unload) -> Advice:
    """What the answer means."""
    files = (change.image.kernel, change.image.initrd) if isinstance(change, Load) else ()
    if failure.path in files and failure.number in _OF_FILES:
        return f"the file cannot be used: {failure.reason}", "give another file"
    text, advice = not_asked(failure) or _meaning(failure, change)
    if isinstance(change, Load) and change.image.crash and failure.kexec.crash_loaded is False:
        text += "; no crash image is loaded now, so a panic leaves no dump"
    return text, advice


def _meaning(failure: Failure, change: Load | Unload) -> Advice:
    match failure.number:
        case errno.EPERM:
            return _not_permitted(failure, change)
        case errno.EACCES:
            found = not_permitted(failure)
            text = "a security module (IMA, SELinux ...) does not let this image be loaded"
            return found or (text, "look at the kernel log and at its policy")
        case errno.EBUSY:
            text = "another load, unload or hotplug update holds the kernel's kexec lock"
            return text, "try again in a second; a long load can hold it for some ten seconds"
        case errno.EINVAL:
            if _lies_in_scratch(failure):
                text = "preserved memory lies in the scratch area, and this kernel loads no image "
                return f"{text}then", "deactivate, or find out who preserved memory there"
            return _invalid(change), "`kho-console check` tells which, before anything is loaded"
        case errno.EADDRNOTAVAIL if isinstance(change, Load):
            return _no_place(failure, change.image)
    if failure.number in _SIGNATURE:
        return _SIGNATURE[failure.number], _SIGNED
    return _PLAIN.get(failure.number, (failure.reason, "look at the kernel log"))


def _not_permitted(failure: Failure, change: Load | Unload) -> Advice:
    """A capability, the switch, the limit, lockdown: told apart by what each leaves to see."""
    crash = change.image.crash if isinstance(change, Load) else change.crash
    kexec = failure.kexec
    if failure.refusal is not None:
        return failure.refusal.reason, "run as root of this machine, outside of containers"
    if kexec.load_disabled is True:
        return "kexec_load_disabled is 1: no load and no unload until the next boot", "reboot"
    if (kexec.load_limit_panic if crash else kexec.load_limit_reboot) == 0:
        kind = "panic" if crash else "reboot"
        return f"kexec_load_limit_{kind} is 0: the calls of this boot are used up", "reboot"
    mode = failure.snapshot.machine.lockdown
    if isinstance(mode, str) and mode != "none":
        text = f"kernel lockdown ({mode}) takes only images with a signature that it trusts"
        return text, _SIGNED
    text = "CAP_SYS_BOOT, kexec_load_disabled, the load limit and lockdown do not explain it: a "
    text += "security module or a container may forbid it"
    return text, "look at the kernel log"


def _lies_in_scratch(failure: Failure) -> bool:
    """The series of 2024 looks at it in the load; later kernels refuse to preserve such memory."""
    snapshot = failure.snapshot
    found, areas = snapshot.outgoing.preserved, snapshot.scratch
    if isinstance(found, Unknown) or isinstance(areas, Unknown):
        return False
    inline = snapshot.generation.protocol is Protocol.RFC_2024
    return inline and any(area.size and found.ranges.touches(area.range) for area in areas)


def _invalid(change: Load | Unload) -> str:
    if isinstance(change, Unload):
        return "this kernel does not know the flags of the call"
    image = change.image
    text = "the kernel does not take the command line "
    text += f"({len(image.command_line)} bytes; x86 takes up to 2016), "
    text += f"the flags ({image.all_flags.name or 0}), or the header of the image"
    return text + ", or it would need more than half of the memory"


def _no_place(failure: Failure, image: KexecImage) -> Advice:
    parts = [f"{word} {size(found)}" for word, found in _sizes(image)]
    files = f" (files: {', '.join(parts)})" if parts else ""
    if image.crash:
        reserved = failure.snapshot.kexec.crash_size
        room = "of unknown size" if isinstance(reserved, Unknown) else f"of {size(reserved)}"
        text = f"it does not fit into the memory reserved for a crash kernel, {room}{files}"
        return text, "boot with a larger crashkernel=, or take a smaller initrd"
    areas, protocol = failure.snapshot.scratch, failure.snapshot.generation.protocol
    if isinstance(areas, Unknown) and protocol is not Protocol.NONE:
        text = f"there is no hole in memory for it{files}; with the handover on, each piece of an "
        text += "image must lie whole in one scratch area, and they cannot be seen: "
        text += (failure.snapshot.unavailable or areas).reason
        return text, "boot with a larger kho_scratch=, or take a smaller initrd"
    if isinstance(areas, Unknown) or not any(area.size for area in areas):
        return f"there is no hole in memory for it{files}", "take a smaller image or initrd"
    sizes = sorted((area.size for area in areas if area.size), reverse=True)
    text = (
        "with the handover on, each piece of an image must lie whole in one scratch area; the "
        f"areas have {', '.join(map(size, sizes))}{files}; a kernel needs more than its file, "
        "since it unpacks in place"
    )
    return text, "boot with a larger kho_scratch=, or take a smaller initrd"


def _sizes(image: KexecImage) -> list[tuple[str, int]]:
    found = []
    for word, path in (("kernel", image.kernel), ("initrd", image.initrd)):
        if path is not None:
            with suppress(OSError):
                found.append((word, Path(path).stat().st_size))
    return found
