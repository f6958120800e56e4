"""Which image is loaded, as far as the journal knows: the kernel tells only that there is one."""

from pathlib import Path

from kho_console.engine import journal_records
from kho_console.engine.journal_records import Now
from kho_console.model.change import FileFlag
from kho_console.model.check import Check, Result
from kho_console.model.record import Record, Standing
from kho_console.model.unknown import Cause, Maybe, Unknown

ID = "loaded-image"

_NOT_ASKED = Unknown(Cause.ABSENT, "not asked")
_REMEDY = "load the image that you mean, then go on"
LEFT_IT = (Standing.REFUSED, Standing.KERNEL_REFUSED)
"""What an action ended with that left the machine as it was."""


def check(journal: Path, boot: Maybe[str]) -> Check:
    """Who loaded the image of this boot, and when.

    Args:
        journal: Where loads are written down.
        boot: The running kernel's boot id.
    """
    not_known = "which image is loaded is not known"
    if isinstance(boot, Unknown):
        return Check(ID, Result.UNKNOWN, not_known, boot.reason, _REMEDY)
    try:
        found = journal_records.read(journal, Now(boot, _NOT_ASKED, _NOT_ASKED)).records
    except OSError as error:
        return Check(ID, Result.UNKNOWN, not_known, f"{journal}: {error.strerror or error}")
    last = next((item for item in reversed(found) if item.boot == boot and _touched(item)), None)
    if last is None or (last.action == "unload" and last.standing is Standing.DONE):
        text = f"{not_known}: it was not loaded from this console"
        return Check(ID, Result.WARNING, text, f"{journal}: no load since", _REMEDY)
    evidence = f"{journal}: {last.id}"
    if last.standing is not Standing.DONE:
        text = f"{not_known}: the {last.action} of {last.at} stands as {last.standing}"
        return Check(ID, Result.WARNING, text, evidence, _REMEDY)
    text = f"{last.who.user} loaded {_files(last)} at {last.at}; what another tool may have loaded "
    return Check(ID, Result.PASS, f"{text}since would not show", evidence)


def _touched(record: Record) -> bool:
    """Whether it was about the image that the next reboot starts, and may have changed it."""
    return (
        record.action in ("load", "unload")
        and record.standing not in LEFT_IT
        and not for_a_crash(record)
    )


def for_a_crash(record: Record) -> bool:
    """Whether a load or unload is about the crash image."""
    flags = (str(item.get("flags")).split("|") for item in record.changes)
    return any(FileFlag.ON_CRASH.name in item for item in flags)


def _files(record: Record) -> str:
    names = (item.get(key) for item in record.changes for key in ("kernel", "initrd"))
    return " with ".join(str(name) for name in names if name is not None)
