"""Whether the kernel may refuse the image for its signature.

kernel/kexec_file.c (`kimage_validate_signature`): a failed verification counts where it is
enforced (KEXEC_SIG_FORCE) or the kernel is locked down. All of it is built with KEXEC_SIG only.
"""

from collections.abc import Iterator

from kho_console.engine import paths
from kho_console.engine.preflight.naming import name as named
from kho_console.engine.preflight.situation import Situation
from kho_console.model.check import Check, Result
from kho_console.model.machine import Machine
from kho_console.model.unknown import Maybe, Unknown

_NAME = "signature"
_LOCKED = "Kernel is locked down"
_FIRST_LINE = "Linux version "
_VERIFIES = "CONFIG_KEXEC_SIG"


def signature(now: Situation) -> Iterator[Check]:
    """Enforcement first: where there is none, a signature does not matter."""
    enforced = _enforced(now)
    if isinstance(enforced, Unknown):
        text = "whether this machine demands a signature is not known"
        remedy = "mount -t securityfs none /sys/kernel/security"
        yield Check(_NAME, Result.UNKNOWN, text, enforced.reason, remedy)
    elif not enforced:
        unable = now.facts.option(_VERIFIES) is False
        evidence = f"{_VERIFIES} is not set" if unable else "lockdown is off"
        yield Check(_NAME, Result.PASS, "this machine demands no signature", evidence)
    elif now.image.signed is True:
        text = f"{enforced}: a signature is attached; whether this machine trusts it is not known"
        yield Check(_NAME, Result.WARNING, text, "certificate table in the file")
    elif now.image.signed is False:
        text = f"{enforced}: the kernel file has no signature"
        remedy = "give a kernel that is signed with a key this machine trusts"
        yield Check(_NAME, Result.FAIL, text, "no certificate table in the file", remedy)
    else:
        text = f"{enforced}: whether the file is signed is not known"
        yield Check(_NAME, Result.UNKNOWN, text, now.image.signed.reason)


def _enforced(now: Situation) -> Maybe[str]:
    """What demands a signature, empty for nothing."""
    host = now.snapshot.machine
    if now.facts.option(_VERIFIES) is False:
        return ""
    if now.facts.option("CONFIG_KEXEC_SIG_FORCE"):
        return "CONFIG_KEXEC_SIG_FORCE"
    if not isinstance(host.lockdown, Unknown):
        return "" if host.lockdown == "none" else f"lockdown {named(host.lockdown)}"
    if now.facts.option("CONFIG_SECURITY_LOCKDOWN_LSM") is False:
        return ""
    return _logged(host, host.lockdown)


def _logged(host: Machine, why: Unknown) -> Maybe[str]:
    """A kernel that is locked down says so at boot; a log from its first line on proves it."""
    log = host.kernel_log
    if isinstance(log, Unknown):
        return Unknown(why.cause, f"{paths.LOCKDOWN}: {why.reason}")
    if _LOCKED in log:
        return "lockdown"
    return "" if _FIRST_LINE in log else why
