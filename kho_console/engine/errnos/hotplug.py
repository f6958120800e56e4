"""Errors of `memoryN/state` and `cpuN/online` (drivers/base/memory.c, drivers/base/cpu.c)."""

import errno

from kho_console.engine.errnos.failure import Advice, Failure, not_permitted
from kho_console.model.change import Write


def meaning(failure: Failure, change: Write) -> Advice:
    """What the answer of the file means."""
    memory = change.path.endswith("/state")
    match failure.number:
        case errno.EACCES | errno.EPERM:
            found = not_permitted(failure)
            return found or ("the platform does not let it go", "look at the kernel log")
        case errno.ENOENT if memory:
            return "there is no such memory block any more", "look at the list again"
        case errno.ENOENT:
            return "this CPU has no switch: it cannot be taken offline", "take another one"
        case errno.EINVAL if memory:
            return "the block is in that state already, or has holes", "look at its state again"
        case errno.EBUSY if memory:
            text = "the block holds memory that cannot be moved: kernel text, a crash region, "
            text += "scratch, or pages that somebody pinned"
            return text, "take another block; zone Movable is where offlining works"
        case errno.EBUSY:
            text = "it is the last CPU that runs, or CPU hotplug is held off just now"
            return text, "try again in a second, or take another CPU"
        case errno.ENOMEM:
            return "the kernel had no memory for it", "free memory, try again"
        case errno.EINTR | errno.EAGAIN:
            return "it was interrupted before it was through", "try again"
    return failure.reason, "look at the kernel log"
