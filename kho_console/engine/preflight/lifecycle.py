"""Where this machine stands: what comes before the load, and who does not live until the kexec."""

from collections.abc import Iterator

from kho_console.engine.findings.words import count
from kho_console.engine.preflight.naming import listed
from kho_console.engine.preflight.situation import Situation
from kho_console.model.check import Check, Result
from kho_console.model.generation import Finalize, State
from kho_console.model.session import Direction, Session
from kho_console.model.unknown import Unknown

FINALIZED = "finalized"
"""The check whether what is preserved is written down."""

_INIT = 1


def finalized(now: Situation) -> Iterator[Check]:
    """6.17 and 6.18 attach the handover at the load, 6.19 and 7.0 at the reboot."""
    if not now.hands_over:
        return
    name, snapshot = FINALIZED, now.snapshot
    step = snapshot.generation.finalize
    done = "active" if step is Finalize.ACTIVE_FILE else "finalized"
    evidence = f"{snapshot.proof.path}: {snapshot.proof.value}"
    if step is Finalize.NONE:
        text = "this kernel has no finalize step: what is preserved at the kexec goes over"
        yield Check(name, Result.PASS, text, evidence)
    elif snapshot.state is State.FINALIZED:
        yield Check(name, Result.PASS, f"the handover is {done}", evidence)
    elif snapshot.state is not State.OPEN:
        text = f"whether the handover is {done} is not known"
        yield Check(name, Result.UNKNOWN, text, evidence)
    elif step is Finalize.LATCHING:
        yield _latching(now, evidence)
    else:
        word = "activate" if step is Finalize.ACTIVE_FILE else "finalize"
        text = f"not {done}: an image that is loaded now carries no handover, whatever follows"
        if isinstance(snapshot.generation.order_matters, Unknown):
            text = f"not {done}: an image that is loaded now may carry no handover"
        yield Check(name, Result.WARNING, text, evidence, f"{word} first, then load")


def _latching(now: Situation, evidence: str) -> Check:
    if now.snapshot.liveupdate_device is True:
        text = "not finalized yet; live update is on, so the reboot finalizes by itself"
        return Check(FINALIZED, Result.PASS, text, evidence)
    text = "not finalized: the next kernel finds no map and drops everything"
    return Check(FINALIZED, Result.WARNING, text, evidence, "finalize before the reboot")


def sessions(now: Situation) -> Iterator[Check]:
    """A session ends with its last descriptor; what is retrieved or not is not carried on."""
    if not now.hands_over or now.snapshot.liveupdate_device is False:
        return
    name, found = "sessions", now.snapshot.inventory.sessions
    if isinstance(found, Unknown):
        text = "which sessions there are is not known"
        yield Check(name, Result.UNKNOWN, text, found.reason)
        return
    waiting = [item for item in found if item.direction is Direction.INCOMING]
    if waiting:
        text = (
            f"{count(len(waiting), 'session')} of the previous kernel not retrieved: nothing of "
            "them goes to the next one"
        )
        remedy = "retrieve and preserve them again before the kexec"
        yield Check(name, Result.WARNING, text, _names(waiting), remedy)
    yield from _held(now)
    if now.snapshot.inventory.unseen:
        text = "some processes do not show what they hold: there may be more sessions"
        evidence = f"{count(now.snapshot.inventory.unseen, 'process')}"
        yield Check(name, Result.UNKNOWN, text, evidence, "run it as root")


def _held(now: Situation) -> Iterator[Check]:
    name, held = "sessions", now.held_sessions
    if isinstance(held, Unknown):
        return
    killed = [item for item in held if all(holder.pid != _INIT for holder in item.holders)]
    systemd = now.snapshot.machine.systemd
    if killed and systemd is True:
        text = (
            f"{count(len(killed), 'session')} lost on the way: systemctl kexec kills every holder "
            "before the kexec"
        )
        remedy = (
            "keep them in the descriptor store of a unit (FileDescriptorStorePreserve=yes, systemd "
            "261), or execute by the bare system call"
        )
        yield Check(name, Result.WARNING, text, _holders(killed), remedy)
    elif killed and isinstance(systemd, Unknown):
        text = "whether the holders of sessions live until the kexec is not known"
        yield Check(name, Result.UNKNOWN, text, systemd.reason)
    elif held:
        text = f"{count(len(held), 'session')} held until the kexec"
        yield Check(name, Result.PASS, text, _holders(held))
    elif not now.snapshot.inventory.unseen:
        yield Check(name, Result.PASS, "no session is held")


def _names(found: list[Session]) -> str:
    return listed([item.name for item in found])


def _holders(found: "list[Session] | tuple[Session, ...]") -> str:
    pids = sorted({holder.pid for item in found for holder in item.holders})
    shown = ", ".join(map(str, pids[:5])) + (" and more" if len(pids) > 5 else "")
    return f"{_names(list(found))}; held by process {shown}"
