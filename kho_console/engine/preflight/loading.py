"""Whether the load itself can go through: rights, limits, memory."""

from collections.abc import Iterator

from kho_console.engine import paths
from kho_console.engine.findings.words import count, size
from kho_console.engine.preflight.situation import Situation
from kho_console.model.check import Check, Result
from kho_console.model.machine import KexecState
from kho_console.model.unknown import Unknown

_REST = 1 << 20
"""Purgatory, boot parameters, control pages."""

_NARROW = 1.25


def switched_off(now: Situation) -> Iterator[Check]:
    """`kexec_load_disabled`, one way until the next boot."""
    yield switch(now.snapshot.kexec)


def limit(now: Situation) -> Iterator[Check]:
    """Each load costs one, as do unloads and loads that fail."""
    yield calls_left(now.snapshot.kexec, crash=now.request.crash)


def switch(kexec: KexecState) -> Check:
    """Whether images can be loaded and unloaded at all."""
    name, found = "load-disabled", kexec.load_disabled
    path = f"{paths.SYSCTL}/kexec_load_disabled"
    if isinstance(found, Unknown):
        text = "whether loading is switched off is not known"
        return Check(name, Result.UNKNOWN, text, found.reason)
    if found:
        text = "loading and unloading is switched off until the next reboot"
        return Check(name, Result.FAIL, text, f"{path}: 1", "reboot")
    return Check(name, Result.PASS, "loading is not switched off", f"{path}: 0")


def calls_left(kexec: KexecState, *, crash: bool) -> Check:
    """How many calls that load or unload this boot still allows."""
    left = kexec.load_limit_panic if crash else kexec.load_limit_reboot
    path = f"{paths.SYSCTL}/kexec_load_limit_{'panic' if crash else 'reboot'}"
    name = "load-limit"
    if isinstance(left, Unknown):
        text = "how many loads are left is not known"
        return Check(name, Result.UNKNOWN, text, left.reason)
    if left < 0:
        return Check(name, Result.PASS, "loads are not limited", f"{path}: {left}")
    if left == 0:
        text = "the loads that this boot allows are used up"
        return Check(name, Result.FAIL, text, f"{path}: 0", "reboot")
    text = f"{count(left, 'load')} left in this boot; an unload and a failed load cost one, too"
    result = Result.WARNING if left == 1 else Result.PASS
    return Check(name, result, text, f"{path}: {left}")


def memory(now: Situation) -> Iterator[Check]:
    """The files are read whole, and a page is allocated for each page of every segment."""
    name, image = "memory-to-load", now.image
    disk = 0 if now.initrd is None else now.initrd.size
    if isinstance(image.memory_size, Unknown):
        text = "how much memory the load takes is not known"
        yield Check(name, Result.UNKNOWN, text, image.memory_size.reason)
        return
    segments = image.memory_size + disk + _REST
    needed = image.size + disk + (0 if now.request.crash else segments)
    total, available = now.snapshot.machine.memory_total, now.snapshot.kexec.memory_available
    if not isinstance(total, Unknown) and segments > total // 2:
        text = "the image takes more than half of the memory: the load fails with EINVAL"
        evidence = f"{size(segments)} of {size(total)}"
        yield Check(name, Result.FAIL, text, evidence, "make kernel and initrd smaller")
    elif isinstance(available, Unknown):
        text = "whether there is memory to load with is not known"
        yield Check(name, Result.UNKNOWN, text, f"{size(needed)} needed; {available.reason}")
    else:
        evidence = f"{size(needed)} needed, {size(available)} available"
        if needed > available:
            text = "there is too little memory to load: the loader may be killed"
            yield Check(name, Result.FAIL, text, evidence, "give memory free first")
        elif needed * _NARROW > available:
            text = "there is just enough memory to load"
            yield Check(name, Result.WARNING, text, evidence, "give memory free first")
        else:
            yield Check(name, Result.PASS, "there is memory to load with", evidence)
