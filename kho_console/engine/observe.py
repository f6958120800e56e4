"""One look at a machine: everything a face shows, as one frozen value."""

from collections.abc import Sequence
from dataclasses import replace

from kho_console.abi import kexec_metadata
from kho_console.abi.setup_data import SetupHandover
from kho_console.engine import (
    files,
    inventory,
    machine,
    memory_layout,
    offer,
    paths,
    preserved,
    scratch,
    sides,
)
from kho_console.engine.crash.image import crash_image
from kho_console.engine.generation import Recognised, recognise
from kho_console.engine.mechanisms.observe import mechanisms
from kho_console.engine.paths import Handover, Handover2024
from kho_console.model.blob import KexecMetadata
from kho_console.model.crash import CrashImage
from kho_console.model.event import Event
from kho_console.model.machine import Cpus, KexecState, Machine, MemoryLayout
from kho_console.model.snapshot import Identity, Inventory, Side, Snapshot
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.model.value import dataclass
from kho_console.source.protocol import Source, SourceKind

_COLD = Unknown(Cause.ABSENT, "this kernel did not come through a handover")


def observe(
    source: Source,
    previous: Snapshot | None = None,
    *,
    walk: bool = False,
    events: Sequence[Event] = (),
) -> Snapshot:
    """Read a machine.

    Args:
        source: Where from.
        previous: An earlier snapshot of the same machine. Its costly part is kept: the walks over
            preserved memory and processes, and the files whose reading takes a kernel lock; so
            are the host's facts, its log, its memory and the nodes of its CPUs, which events
            announce.
        walk: Keep of `previous` only what takes a kernel lock to read.
        events: What happened to CPUs and memory, as far as it may explain what a dump would lack.
    """
    kept = None if walk else previous
    host = kept.machine if kept else machine.machine(source)
    memory = kept.memory if kept else memory_layout.memory_layout(source)
    seen = _see(source, host)
    offered, outgoing, recognised = seen.offered, seen.outgoing, seen.recognised
    booted = _booted(source, recognised, offered)
    incoming = _explained(seen.incoming, booted)
    if kept is None:
        before = None if previous is None else previous.inventory
        costly = inventory.take(source, memory, recognised, outgoing, incoming, booted, before)
    else:
        costly = kept.inventory
    outgoing = _completed(outgoing, costly)
    if not isinstance(incoming, Unknown):
        incoming = sides.with_checked(incoming, costly.live_update)
    cpus = machine.cpus(source, kept.cpus if kept else None)
    kexec = machine.kexec(source, costly.crash_size, None if previous is None else previous.kexec)
    return Snapshot(
        source=_identity(source),
        taken=source.clock(),
        machine=host,
        generation=recognised.generation,
        state=recognised.state,
        proof=recognised.proof,
        unavailable=recognised.unavailable,
        scratch=scratch.areas(source, recognised.generation),
        outgoing=outgoing,
        incoming=incoming,
        offered=_is_there(offered),
        booted_through_handover=booted,
        previous_release=_previous_release(incoming),
        kexec_count=_kexec_count(outgoing, incoming),
        inventory=costly,
        memory=memory,
        cpus=cpus,
        kexec=kexec,
        crash=kept.crash
        if kept
        else _crash(source, kexec, memory, cpus, previous, events, costly.crash_hotplug),
        liveupdate_device=source.exists(paths.LIVEUPDATE),
        debugfs=seen.debugfs,
        mechanisms=kept.mechanisms if kept else mechanisms(source, host.command_line, offered),
    )


def _identity(source: Source) -> Identity:
    if source.kind is not SourceKind.RECORDING:
        return Identity(source.kind, source.name)
    from kho_console.engine.timeline import moment_of

    return Identity(source.kind, source.name, moment_of(source))


def _crash(
    source: Source,
    kexec: KexecState,
    memory: MemoryLayout,
    cpus: Cpus,
    previous: Snapshot | None,
    events: Sequence[Event],
    updatable: Maybe[bool],
) -> CrashImage:
    """The crash image; it changes with the memory that events announce."""
    crash, cpus_before = (None, None) if previous is None else (previous.crash, previous.cpus)
    return crash_image(source, kexec, memory, cpus, crash, cpus_before, events, updatable=updatable)


def unavailable(source: Source) -> Unknown | None:
    """Why a machine shows no handover, without the walks; None where it shows one."""
    return _see(source, machine.machine(source)).recognised.unavailable


@dataclass(frozen=True, slots=True)
class _Seen:
    """The mechanism, and what the small files show of both sides."""

    debugfs: Maybe[str]
    offered: Maybe[SetupHandover]
    outgoing: Side
    incoming: Maybe[Side]
    recognised: Recognised


def _see(source: Source, host: Machine) -> _Seen:
    mount = machine.debugfs(source)
    where = _where(source, mount)
    offered = offer.offered(source)
    outgoing = _side(source, where, where.outgoing, host.page_size, preserved.NOT_FINALIZED)
    incoming = _incoming(source, where, host, offered)
    tree = incoming if isinstance(incoming, Unknown) else incoming.tree
    recognised = recognise(source, where, outgoing.tree, tree, _hidden(mount, host))
    return _Seen(mount, offered, outgoing, incoming, recognised)


def _where(source: Source, mount: Maybe[str]) -> Handover:
    if files.stands(source, f"{paths.RFC_2024}/active"):
        return Handover2024()
    return Handover(paths.DEBUGFS if isinstance(mount, Unknown) else mount)


def _side(source: Source, where: Handover, folder: str, page_size: int, no_map: Unknown) -> Side:
    if isinstance(where, Handover2024):
        from kho_console.engine import inline_state

        path = where.tree(folder)
        return inline_state.outgoing(source, path, page_size, preserved.NOT_ACTIVE)
    tree = sides.root_tree_of(source, where.tree(folder), page_size)
    incoming = folder == where.incoming
    blobs = sides.blobs(source, where.blobs(folder), tree, page_size, incoming=incoming)
    return Side(tree, blobs, no_map)


def _incoming(
    source: Source, where: Handover, host: Machine, offered: Maybe[SetupHandover]
) -> Maybe[Side]:
    there = source.exists(where.incoming)
    if isinstance(there, Unknown):
        return there
    if not there:
        return _COLD
    if isinstance(where, Handover2024):
        from kho_console.engine import inline_state

        path = where.tree(where.incoming)
        side = inline_state.incoming(source, path, host.page_size, offered)
    else:
        side = _side(source, where, where.incoming, host.page_size, preserved.RELEASED)
    if isinstance(side.tree, Unknown) or isinstance(offered, Unknown):
        return side
    return replace(side, tree=replace(side.tree, address=offered.fdt_address))


def _booted(source: Source, recognised: Recognised, offered: Maybe[SetupHandover]) -> Maybe[bool]:
    """Whether this kernel came through a handover.

    The directory of what came in tells it, and so does a boot protocol that carried nothing.
    Without either it is not known: a handover that was offered may have been refused.
    """
    folder = recognised.generation.incoming
    if folder is not None and recognised.unavailable is None:
        return source.exists(folder)
    offer_made = _is_there(offered)
    if offer_made is not True:
        return offer_made
    why = recognised.unavailable
    reason = "a handover was offered; whether it was taken does not show"
    return Unknown(Cause.ABSENT if why is None else why.cause, reason)


def _explained(incoming: Maybe[Side], booted: Maybe[bool]) -> Maybe[Side]:
    """The incoming side, or why there is none in the words of how this kernel was booted."""
    if not isinstance(incoming, Unknown):
        return incoming
    if not isinstance(booted, Unknown) and not booted:
        return _COLD
    if isinstance(booted, Unknown):
        return booted
    return Unknown(Cause.UNSUPPORTED, "what came in is not decoded for this generation")


def _completed(outgoing: Side, inventory: Inventory) -> Side:
    """The outgoing side with what the costly part knows of it."""
    tree, blobs = outgoing.tree, outgoing.blobs
    if not isinstance(inventory.recovered, Unknown):
        if isinstance(tree, Unknown) or _same_start(tree, inventory.recovered):
            window = None if isinstance(tree, Unknown) else tree.window
            tree = replace(inventory.recovered, window=window)
        blobs = sides.with_addresses(blobs, tree)
    return Side(tree, blobs, inventory.preserved)


def _same_start(window: RootTree, recovered: RootTree) -> bool:
    """Whether the recovered tree is the one that the window still shows."""
    return recovered.content.startswith(window.content)


def _hidden(mount: Maybe[str], host: Machine) -> Unknown | None:
    """Why a handover would not show: no debugfs, on a kernel that may well have one."""
    if not isinstance(mount, Unknown):
        return None
    built = isinstance(host.config, Unknown) or "CONFIG_KEXEC_HANDOVER" in host.config
    return mount if built else None


def _is_there(value: Maybe[object]) -> Maybe[bool]:
    if not isinstance(value, Unknown):
        return True
    return False if value.cause is Cause.ABSENT else value


def _metadata(side: Maybe[Side]) -> Maybe[KexecMetadata]:
    if isinstance(side, Unknown):
        return side
    if isinstance(side.blobs, Unknown) and side.blobs.cause is not Cause.ABSENT:
        return side.blobs
    blob = side.blob(kexec_metadata.NAME)
    if blob is None:
        return Unknown(Cause.ABSENT, "no kexec-metadata; kernels before 7.1 write none")
    if isinstance(blob.payload, KexecMetadata):
        return blob.payload
    if isinstance(blob.state, Unknown):
        return blob.state
    return Unknown(Cause.INVALID, f"kexec-metadata is {blob.state}: {blob.reason}")


def _previous_release(incoming: Maybe[Side]) -> Maybe[bytes]:
    found = _metadata(incoming)
    return found if isinstance(found, Unknown) else found.previous_release


def _kexec_count(outgoing: Side, incoming: Maybe[Side]) -> Maybe[int]:
    """Handovers up to this boot; the outgoing metadata holds the next kernel's count."""
    came, goes = _metadata(incoming), _metadata(outgoing)
    if not isinstance(came, Unknown) and not isinstance(came.kexec_count, Unknown):
        return came.kexec_count
    if isinstance(goes, Unknown):
        return goes
    if goes.kexec_count == 0:
        return Unknown(Cause.INVALID, "kexec-metadata announces 0 for the next kernel")
    return goes.kexec_count if isinstance(goes.kexec_count, Unknown) else goes.kexec_count - 1
