"""What is left of the incoming map.

The kernel reads the map at boot and returns its pages to the allocator, so whatever still reads as
a map is luck: it is shown on demand only, and labelled so.
"""

from kho_console.engine import owners, preserved
from kho_console.model.owner import Ownership
from kho_console.model.preserved import PreservedMap
from kho_console.model.session import Memfd
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Maybe, Unknown
from kho_console.source.protocol import Source


def read(source: Source, snapshot: Snapshot) -> Maybe[PreservedMap]:
    """The incoming map as far as its pages still hold it."""
    if isinstance(snapshot.incoming, Unknown):
        return snapshot.incoming
    return preserved.read(source, snapshot.generation, snapshot.incoming, snapshot.memory.ram)


def ownership(source: Source, snapshot: Snapshot, found: PreservedMap) -> Ownership:
    """Whose the memory of the incoming map was; memfds with the session that waits for them."""
    side = snapshot.incoming
    if isinstance(side, Unknown):
        return owners.attribute(found, (), True)
    claims = owners.claims(
        source.memory,
        found.page_size,
        None if isinstance(side.tree, Unknown) else side.tree,
        () if isinstance(side.blobs, Unknown) else side.blobs,
        _waiting_memfds(snapshot),
    )
    return owners.attribute(found, claims, True)


def _waiting_memfds(snapshot: Snapshot) -> list[tuple[Memfd, bytes | None]]:
    sessions = snapshot.inventory.sessions
    return [
        (file.state, session.name)
        for session in (() if isinstance(sessions, Unknown) else sessions)
        for file in (() if isinstance(session.files, Unknown) else session.files)
        if not isinstance(file.state, Unknown)
    ]
