"""Every error number in words of the call that got it, on this kernel and in its state."""

import errno
import os
from dataclasses import replace

from kho_console.engine import files, machine
from kho_console.engine.errnos import execute, hotplug, load, step
from kho_console.engine.errnos.failure import Advice, Failure, name
from kho_console.engine.log_lines import about_handover
from kho_console.model.change import Change, Execute, Load, Unload, Write
from kho_console.model.outcome import Explained
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import Source, SourceError
from kho_console.source.writable import Guarded
from kho_console.twin.faults import ASKED_FOR

__all__ = ["explain"]

_MOST_NEW = 8
_MOST_OLD = 3


def explain(change: Change, error: SourceError, source: Source, before: Snapshot) -> Explained:
    """What a refusal means.

    Args:
        change: What was asked.
        error: The kernel's answer.
        source: The machine, to look at what the refusal left to see.
        before: The machine right before.
    """
    number, reason = error.errno or errno.EIO, error.unknown.reason
    asked_for = reason == ASKED_FOR
    failure = Failure(
        change=change,
        number=number,
        path=error.path,
        reason=os.strerror(number) if asked_for else reason,
        snapshot=before,
        kexec=machine.kexec(source, before.kexec.crash_size),
        refusal=source.refusal(change) if isinstance(source, Guarded) else None,
        there=files.stands(source, error.path) if error.path.startswith("/") else True,
    )
    text, advice = _meaning(failure)
    if asked_for:
        text = f"{ASKED_FOR}; of a kernel it would mean: {text}"
    return Explained(
        number=number,
        name=name(number),
        call=_call(change),
        text=text,
        advice=advice,
        evidence=_evidence(failure),
        log=_log(source, before),
    )


def _meaning(failure: Failure) -> Advice:
    match failure.change:
        case Write() as change:
            if change.path == failure.snapshot.generation.switch:
                return step.meaning(failure, change)
            return hotplug.meaning(failure, change)
        case Load() | Unload() as change:
            return load.meaning(failure, change)
        case Execute() as change:
            return execute.meaning(failure, change)


def _call(change: Change) -> str:
    match change:
        case Write(path, _):
            return path
        case Execute(how):
            return how.value
    return "kexec_file_load"


def _evidence(failure: Failure) -> tuple[str, ...]:
    """What tells the meanings of an error apart, as it was read after the refusal."""
    if isinstance(failure.change, Write):
        proof = failure.snapshot.proof
        return (f"{proof.path}: {proof.value}",) if proof.path == failure.path else ()
    kexec = failure.kexec
    values = {
        "kexec_loaded": kexec.loaded,
        "kexec_crash_loaded": kexec.crash_loaded,
        "kexec_load_disabled": kexec.load_disabled,
        "kexec_load_limit_reboot": kexec.load_limit_reboot,
        "kexec_load_limit_panic": kexec.load_limit_panic,
    }
    told = [f"{key}: {int(item)}" for key, item in values.items() if not isinstance(item, Unknown)]
    mode = failure.snapshot.machine.lockdown
    return (*told, *([] if isinstance(mode, Unknown) else [f"lockdown: {mode}"]))


def _log(source: Source, before: Snapshot) -> tuple[str, ...]:
    """What the kernel has said since; where its ring has moved on, the latest on our subjects."""
    now, then = source.kernel_log(), before.machine.kernel_log
    if isinstance(now, Unknown):
        return ()
    if isinstance(then, str) and now.startswith(then):
        return tuple(now[len(then) :].splitlines())[-_MOST_NEW:]
    host = replace(before.machine, kernel_log=now)
    lines = about_handover(replace(before, machine=host))
    if isinstance(lines, Unknown):
        return ()
    return tuple(
        line.text if line.seconds is None else f"[{line.seconds:12.6f}] {line.text}"
        for line in lines[-_MOST_OLD:]
    )
