"""The kernel of v3: the stream comes through the handover, and restoring is a call of its own."""

import errno
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import takewhile

from kho_console.abi.kstate import encode
from kho_console.abi.kstate.description import Registry
from kho_console.abi.kstate.stream import END_MARK, MAGIC, SUBSECTION, magic, write
from kho_console.abi.kstate.v3 import reserve_mem_instance, runs_over
from kho_console.abi.reader import Bytes
from kho_console.model.kstate import KstateEntry, KstateVersion, StateValue
from kho_console.twin.kstate.defects import Defect, KernelFault
from kho_console.twin.kstate.state import ZERO, Restorer, State, check_end
from kho_console.twin.kstate.walk import checked, hops
from kho_console.twin.refused import Refused

_PAGE = 4096
_RESERVED_MEM = 5


class KstateV3:
    """One kernel.

    Attributes:
        states: What is registered, the newest first, which is the order of the stream.
        pieces: Bytes of each write into the folio of the stream, at the last save.
        restorer: What restoring warned of, and the defects it met.
    """

    def __init__(
        self,
        registry: Registry,
        stream: bytes | None = None,
        counts: Mapping[str, int] | None = None,
        *,
        strict: bool = False,
    ) -> None:
        """Boot, with the folio of the stream that the kernel before left; see `Kstate`."""
        self.states: list[State] = []
        self.pieces: list[int] = []
        self.restorer = Restorer(registry, counts or {}, strict=strict)
        self._registry = registry
        self._stream = stream
        self._strict = strict
        self._instances: Counter[int] = Counter()

    def register(self, state_id: int, value: dict[str, StateValue], instance_id: int) -> State:
        """Register an object; nobody minds an instance that is there already."""
        description = self._registry.get(state_id)
        if description is None:
            raise ValueError(f"no description {state_id}")
        state = State(description, instance_id, value)
        self.states.insert(0, state)
        return state

    def register_restore(self, state_id: int, value: dict[str, StateValue]) -> State:
        """Register the next object of a description and restore it; that may find nothing."""
        self._instances[state_id] += 1
        state = self.register(state_id, value, self._instances[state_id])
        try:
            self.restore(state)
        except Refused:
            return state
        return state

    def reserve_mem(self, name: bytes, value: dict[str, StateValue], behind: bytes = b"") -> State:
        """Register a `reserve_mem` region; its instance is a checksum of its name.

        Args:
            name: The name.
            value: Its fields.
            behind: What lies in memory behind a name that is not padded.
        """
        instance = reserve_mem_instance(name, behind)
        if instance != reserve_mem_instance(name):
            self.restorer.met(Defect.NAME_UNPADDED)
        return self.register(_RESERVED_MEM, value, instance)

    def unregister(self, state: State) -> None:
        """Take an object out of the list.

        Raises:
            KernelFault: It is in no list.
        """
        if state not in self.states:
            raise KernelFault(Defect.UNKNOWN_FREED)
        self.states.remove(state)

    def restore(self, state: State) -> None:
        """Restore an object from the first entry of it, then its subsections.

        Raises:
            Refused: ENOENT.
            FormatError: Strictly, an entry does not fit.
            KernelFault: The kernel reads behind the stream.
        """
        stream = self._opened()
        wanted = (state.description.id, state.instance_id)
        version = KstateVersion.V3
        walk = checked(stream, version) if self._strict else hops(stream, version, wanted)
        for entry in walk:
            if (entry.state_id, entry.instance_id) == wanted:
                self.restorer.restore(stream, entry, state.description, state.value)
                self._subsections(stream, walk, state)
                return
        raise Refused(errno.ENOENT, "no entry of it")

    def save(self, *, fixed: bool = False) -> bytes:
        """The stream, at finalize.

        Args:
            fixed: Whether the stream keeps the folio it grew into, as the author's branch does.

        Raises:
            KernelFault: It outgrows its first page, or what was added to it, or a description
                has no end.
            ValueError: An object does not fit its description.
        """
        entries = []
        pieces = self.pieces = [self._registry.version.start]
        for state in self.states:
            check_end(state.description)
            pieces += encode.writes(self._registry, state.description, state.value)
            entries.append(
                encode.entry(self._registry, state.description, state.value, state.instance_id)
            )
            for number in state.description.subsections:
                below = self._registry.get(number)
                if below is not None and number in state.subsections:
                    value = state.subsections[number]
                    instance = state.instance_id
                    pieces += encode.writes(self._registry, below, value)
                    entries.append(
                        encode.entry(self._registry, below, value, instance, subsection=True)
                    )
        stream = b"".join(write(KstateVersion.V3, entries))
        if len(stream) > _PAGE and not fixed:
            raise KernelFault(Defect.FOLIO_LOST)
        if runs_over(0, pieces):
            raise KernelFault(Defect.ONE_ORDER)
        return stream

    def _opened(self) -> bytes:
        """The stream, as far as this kernel takes it for one."""
        stream = self._stream
        if stream is None or magic(Bytes(stream)) != MAGIC:
            self._stream = None
            raise Refused(errno.ENOENT, "no stream")
        # The id is looked at before the end mark is; behind that lies what was there before.
        if stream[8:12] == bytes(4) and not self._strict:
            self.restorer.warn("state id", f"at 0x4: {ZERO}")
            if stream[4:8] == END_MARK:
                self.restorer.met(Defect.STALE_ID)
            raise Refused(errno.ENOENT, "state id 0")
        return stream

    def _subsections(self, stream: bytes, behind: Iterator[KstateEntry], state: State) -> None:
        """Restore the subsections that this kernel knows, each from its first entry."""
        left = set(state.description.subsections)
        for entry in takewhile(lambda item: item.section == SUBSECTION, behind):
            description = self._registry.get(entry.state_id)
            if description is not None and entry.state_id in left:
                left.remove(entry.state_id)
                value = state.subsections.setdefault(entry.state_id, {})
                self.restorer.restore(stream, entry, description, value)
