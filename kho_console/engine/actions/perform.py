"""The one place that changes a machine.

In this order: the lock, a fresh look and the preconditions anew, the journal, the change, the
journal, the proof. Nothing is called done because a write came back.
"""

from contextlib import ExitStack

from kho_console.engine import paths
from kho_console.engine.actions import loaded_image
from kho_console.engine.actions.planning import Planner, plan
from kho_console.engine.actions.probe import probe
from kho_console.engine.errnos import explain
from kho_console.engine.generation import chunks_of
from kho_console.engine.journal import Journal
from kho_console.engine.observe import observe
from kho_console.engine.writer_lock import LockedError, WriterLock
from kho_console.model.action import Action, NotApplicable
from kho_console.model.change import Execute, Load, Unload
from kho_console.model.check import Result
from kho_console.model.generation import Finalize, Protocol, State
from kho_console.model.outcome import Ending, Found, Outcome
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import NotAskedError, SourceError, SourceKind
from kho_console.source.writable import WritableSource

_KEEPING = ("activate", "deactivate")
"""Steps that leave what is there as it is where it is there already."""

BOOT_ID = f"{paths.SYSCTL}/random/boot_id"


@dataclass(frozen=True, slots=True)
class Writer:
    """What a change needs besides the machine.

    Attributes:
        journal: Where it is written down; None for a rehearsal that nothing is kept of.
        lock: The lock of the machine; None where nobody else can reach it. A live machine is
            changed only with both.
    """

    journal: Journal | None = None
    lock: WriterLock | None = None


def perform(source: WritableSource, planner: Planner, confirmed: Action, writer: Writer) -> Outcome:
    """Do it, and say how it ended.

    Args:
        source: The machine.
        planner: What is wanted.
        confirmed: The action that the operator has seen and agreed to.
        writer: His lock and journal.
    """
    if source.kind is SourceKind.LIVE and (writer.journal is None or writer.lock is None):
        missing = "journal" if writer.journal is None else "lock"
        return _refused(f"a live machine is not changed without a {missing}")
    with ExitStack() as stack:
        try:
            if writer.lock is not None:
                stack.enter_context(writer.lock)
        except (LockedError, OSError) as error:
            return _refused(str(error))
        snapshot = observe(source)
        journal = None if writer.journal is None else writer.journal.path
        action = plan(source, planner, snapshot, journal)
        if isinstance(action, NotApplicable):
            return _refused(f"the machine has changed: {action.reason}")
        if action.changes != confirmed.changes:
            why = _exchanged(confirmed, action) or "the machine has changed since this was planned"
            return _refused(f"{why}; look at it again")
        if action.obstacles:
            why = "; ".join(item.text for item in action.obstacles)
            return Outcome(Ending.REFUSED, why, obstacles=action.obstacles)
        if worse := _worse(action, confirmed):
            return _refused(f"the machine has changed since this was planned: {worse}")
        return _written_down(source, action, snapshot, writer.journal)


def _exchanged(confirmed: Action, action: Action) -> str | None:
    """What is different of the files of an image since the operator agreed."""
    for agreed, now in zip(confirmed.changes, action.changes, strict=False):
        if isinstance(agreed, Load) and isinstance(now, Load) and agreed.image == now.image:
            return agreed.exchanged(now)
    return None


def _worse(action: Action, confirmed: Action) -> str:
    """Preconditions that stand worse than when the operator agreed; empty where none does.

    Another image than he was told of is worse, too.
    """
    told = {item.id for item in confirmed.preconditions if item.result is not Result.PASS}
    image = [item.evidence for item in confirmed.preconditions if item.id == loaded_image.ID]
    return "; ".join(
        item.text
        for item in action.preconditions
        if (item.result is not Result.PASS and item.id not in told)
        or (item.id == loaded_image.ID and image not in ([], [item.evidence]))
    )


def _refused(text: str) -> Outcome:
    return Outcome(Ending.REFUSED, text)


def _written_down(
    source: WritableSource, action: Action, snapshot: Snapshot, journal: Journal | None
) -> Outcome:
    """Change it between the two lines of the journal."""
    try:
        boot = source.kernel_start
    except SourceError as error:
        return _refused(f"which boot this is cannot be read: {error.unknown.reason}")
    if journal is None:
        return _changed(source, action, snapshot, boot)
    machine = {
        "source": str(source.kind),
        "host": snapshot.machine.hostname,
        "boot": boot,
    }
    try:
        known = journal.begin(action, machine)
    except OSError as error:
        return _refused(f"the journal {journal.path} cannot be written: {error.strerror or error}")
    outcome = _changed(source, action, snapshot, boot)
    try:
        journal.end(known, action, outcome)
    except OSError as error:
        text = f"{outcome.text} (the journal could not take it: {error.strerror or error})"
        return Outcome(outcome.ending, text, outcome.found, outcome.explained, outcome.obstacles)
    return outcome


def _changed(source: WritableSource, action: Action, snapshot: Snapshot, boot: str) -> Outcome:
    for change in action.changes:
        try:
            source.change(change)
        except NotAskedError as error:
            return _refused(str(error))
        except SourceError as error:
            explained = explain(change, error, source, snapshot)
            text = f"{explained.call}: {explained.name}: {explained.text}"
            return Outcome(Ending.KERNEL_REFUSED, text, explained=explained)
    if any(isinstance(change, Execute) for change in action.changes):
        return _new_kernel(source, snapshot, boot)
    return _proven(action, probe(source, action.expects), snapshot)


def _proven(action: Action, found: tuple[Found, ...], before: Snapshot) -> Outcome:
    wrong = [item for item in found if not item.fits]
    if wrong:
        words = "; ".join(f"{item.path}: {_held(item.found)}" for item in wrong)
        return Outcome(Ending.UNPROVEN, f"the kernel took it, but {words}", found)
    words = "; ".join(f"{item.path}: {_held(item.found)}" for item in found)
    if not any(item.telling for item in found):
        words += f", as before: {_untold(action, before)}"
    return Outcome(Ending.DONE, words, found)


def _untold(action: Action, before: Snapshot) -> str:
    """What it means that nothing reads otherwise than before."""
    if before.generation.finalize is Finalize.ACTIVE_FILE and action.name in _KEEPING:
        return "it was so already, and nothing was done"
    match action.changes:
        case (Unload(crash=True),):
            return "no crash image was loaded"
        case (Unload(),):
            words = "nothing was loaded for a reboot"
            stays = "; the crash image stays, `unload --crash` drops it"
            return words + (stays if before.kexec.crash_loaded is True else "")
    return "that it is the new one rests on the kernel's answer alone"


def _held(value: str | None) -> str:
    return "not there" if value is None else value


def _new_kernel(source: WritableSource, before: Snapshot, boot: str) -> Outcome:
    """The proof of a kexec; a live machine is on its way then, a twin has arrived."""
    try:
        now = source.kernel_start
    except SourceError:
        now = boot
    dead = source.exists("/proc") if source.kind is SourceKind.TWIN else True
    if isinstance(dead, Unknown):
        return Outcome(Ending.UNPROVEN, dead.reason)
    if now == boot:
        text = "the kexec is on its way; the proof lies in the next boot (`kho-console journal`)"
        return Outcome(Ending.PENDING, text)
    found = (Found(BOOT_ID, now, now, True),)
    snapshot = observe(source)
    release = snapshot.machine.release
    if snapshot.booted_through_handover is True:
        wrong = _taken_back(before) or _misread(before, snapshot)
        if wrong is not None:
            return Outcome(Ending.UNPROVEN, f"{release} runs and took the handover, {wrong}", found)
        return Outcome(Ending.DONE, f"{release} runs, and it took the handover", found)
    if before.unavailable is not None and before.generation.protocol is Protocol.NONE:
        text = f"{release} runs; the kernel before it had no handover to give"
        return Outcome(Ending.DONE, text, found)
    text = f"{release} runs, but it took no handover: what was preserved is lost"
    return Outcome(Ending.UNPROVEN, text, found)


def _taken_back(before: Snapshot) -> str | None:
    """What is wrong where an image of 6.16 to 6.18 carried a tree that abort had dropped."""
    if before.generation.finalize is Finalize.REVERSIBLE and before.state is State.OPEN:
        return "but that had been taken back: nobody kept what its map names"
    return None


def _misread(before: Snapshot, now: Snapshot) -> str | None:
    """What is wrong where both kernels say kho-v1, and mean two forms of the map."""
    if {before.generation.protocol, now.generation.protocol} != {Protocol.KHO_V1}:
        return None
    wrote, reads = chunks_of(before.machine.release), chunks_of(now.machine.release)
    if wrote is reads or wrote is None or reads is None:
        return None
    return f"but read its map as {reads}, not {wrote}: it keeps other memory than was preserved"
