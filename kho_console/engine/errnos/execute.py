"""Errors of the kexec itself: reboot(2), or systemctl."""

import errno

from kho_console.engine.errnos.failure import Advice, Failure, not_asked
from kho_console.model.change import Execute, Execution
from kho_console.model.generation import Finalize


def meaning(failure: Failure, change: Execute) -> Advice:
    """What the answer means."""
    broken = not_asked(failure)
    if broken is not None:
        return broken
    if change.how is Execution.SYSTEMD and failure.number in (errno.EIO, errno.ENOENT):
        return failure.reason, "`systemctl status kexec.target` and `journalctl -b` tell more"
    match failure.number:
        case errno.EINVAL:
            return "no image is loaded; nothing was touched", "load an image first"
        case errno.EBUSY:
            text = "another load, unload or hotplug update holds the kernel's kexec lock"
            return text, "try again in a second"
        case errno.EPERM:
            reason = None if failure.refusal is None else failure.refusal.reason
            return reason or "this process may not reboot the machine", "run as root"
        case errno.EAGAIN if failure.snapshot.generation.finalize is Finalize.LATCHING:
            text = "live update could not finalize the handover; this kernel does not roll back, "
            text += "and operations on sessions may hang until the reboot"
            return text, "reboot through the firmware as soon as the machine can be spared"
        case errno.ENOSYS:
            return "this kernel cannot kexec", "use a kernel built with CONFIG_KEXEC_FILE"
    if failure.snapshot.liveupdate_device is True:
        text = "a handler of live update refused to freeze a file; the sessions are as before"
        return text, "look at the kernel log for the session and the token, then try again"
    return failure.reason, "look at the kernel log"
