"""One look at a machine: everything a face shows, as one frozen value."""

from dataclasses import replace

from kho_console.abi import kexec_metadata
from kho_console.abi.setup_data import SetupHandover
from kho_console.engine import (
    inventory,
    machine,
    memory_layout,
    offer,
    paths,
    preserved,
    scratch,
    sides,
)
from kho_console.engine.generation import Recognised, recognise
from kho_console.engine.paths import Handover
from kho_console.model.blob import KexecMetadata
from kho_console.model.generation import Protocol
from kho_console.model.machine import Machine, MemoryLayout
from kho_console.model.snapshot import Identity, Inventory, Side, Snapshot
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source

_COLD = Unknown(Cause.ABSENT, "this kernel did not come through a handover")


def observe(source: Source, previous: Snapshot | None = None) -> Snapshot:
    """Read a machine.

    Args:
        source: Where from.
        previous: An earlier snapshot of the same machine. Its costly part is kept: the walks over
            preserved memory and processes, and the files whose reading takes a kernel lock; so
            are the host's facts, its log and its memory, which events announce.
    """
    mount = machine.debugfs(source)
    where = Handover(paths.DEBUGFS if isinstance(mount, Unknown) else mount)
    host = previous.machine if previous else machine.machine(source)
    memory = previous.memory if previous else memory_layout.memory_layout(source)
    window = sides.root_tree_of(source, where.tree(where.outgoing), host.page_size)
    offered = offer.offered(source)
    incoming = _incoming(source, where, host, memory, offered)
    incoming_tree = _COLD if isinstance(incoming, Unknown) else incoming.tree
    recognised = recognise(source, where, window, incoming_tree, _hidden(mount, host))
    blobs = sides.blobs(source, where.blobs(where.outgoing), window, host.page_size, incoming=False)
    costly = (
        inventory.take(source, memory, recognised, window, blobs, incoming)
        if previous is None
        else previous.inventory
    )
    outgoing = _completed(Side(window, blobs, costly.preserved), costly)
    came = _is_there(offered)
    return Snapshot(
        source=Identity(source.kind, source.name),
        taken=source.clock(),
        machine=host,
        generation=recognised.generation,
        state=recognised.state,
        unavailable=recognised.unavailable,
        scratch=scratch.areas(source, where, recognised.generation),
        outgoing=outgoing,
        incoming=incoming,
        offered=came,
        booted_through_handover=_booted_through_handover(source, recognised, incoming, came),
        previous_release=_previous_release(incoming),
        kexec_count=_kexec_count(outgoing, incoming),
        inventory=costly,
        memory=memory,
        cpus=machine.cpus(source),
        kexec=machine.kexec(source, costly.crash_size),
        liveupdate_device=source.exists(paths.LIVEUPDATE),
        debugfs=mount,
    )


def _incoming(
    source: Source,
    where: Handover,
    host: Machine,
    memory: MemoryLayout,
    offered: Maybe[SetupHandover],
) -> Maybe[Side]:
    there = source.exists(where.incoming)
    if isinstance(there, Unknown):
        return there
    if not there:
        return _COLD
    tree = sides.root_tree_of(source, where.tree(where.incoming), host.page_size)
    if not isinstance(tree, Unknown) and not isinstance(offered, Unknown):
        tree = replace(tree, address=offered.fdt_address)
    blobs = sides.blobs(source, where.blobs(where.incoming), tree, host.page_size, incoming=True)
    checked = sides.checked_live_update(blobs, source.memory, memory.ram, host.page_size)
    return Side(tree, checked, preserved.RELEASED)


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
    return window.flat.totalsize == recovered.flat.totalsize


def _booted_through_handover(
    source: Source, recognised: Recognised, incoming: Maybe[Side], offered: Maybe[bool]
) -> Maybe[bool]:
    """`in/` is there after a handover only; the 2024 series shows it below /sys/firmware.

    Where debugfs cannot be seen, a boot protocol without a handover still proves there was none.
    """
    if recognised.generation.protocol is Protocol.RFC_2024:
        return source.exists(paths.RFC_2024_IN)
    there = _is_there(incoming)
    if there is not True and offered is False:
        return False
    hidden = recognised.unavailable if recognised.generation.protocol is Protocol.UNKNOWN else None
    return there if there is True or hidden is None else hidden


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


def _metadata(side: Side | Unknown) -> KexecMetadata | None:
    blob = None if isinstance(side, Unknown) else side.blob(kexec_metadata.NAME)
    return blob.payload if blob and isinstance(blob.payload, KexecMetadata) else None


def _previous_release(incoming: Maybe[Side]) -> Maybe[bytes]:
    if isinstance(incoming, Unknown):
        return incoming
    found = _metadata(incoming)
    if found is None:
        return Unknown(Cause.ABSENT, "no kexec-metadata came in; kernels before 7.1 write none")
    return found.previous_release


def _kexec_count(outgoing: Side, incoming: Maybe[Side]) -> Maybe[int]:
    """Handovers up to this boot; the outgoing metadata holds the next kernel's count."""
    found = _metadata(incoming)
    if found is not None and not isinstance(found.kexec_count, Unknown):
        return found.kexec_count
    found = _metadata(outgoing)
    if found is None:
        return Unknown(Cause.ABSENT, "no kexec-metadata; kernels before 7.1 write none")
    if isinstance(found.kexec_count, Unknown):
        return found.kexec_count
    return max(found.kexec_count - 1, 0)
