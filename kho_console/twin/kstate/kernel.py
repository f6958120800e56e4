"""The kernel of v1, v2 and the step behind it: state is restored when it is registered."""

from collections import Counter
from collections.abc import Mapping, Sequence

from kho_console.abi.kstate import command_line, encode
from kho_console.abi.kstate.description import KS, Custom, Description, Field, Registry, base_type
from kho_console.abi.kstate.stream import write
from kho_console.model.kstate import KstateVersion, StateValue
from kho_console.model.memory import MemoryRange
from kho_console.twin.kstate.defects import Defect, KernelFault
from kho_console.twin.kstate.state import ZERO, Restorer, State, check_end
from kho_console.twin.kstate.walk import checked, matches

_PAGE = 4096
_SHIFT = 12
_V1_SEGMENT = 8 << 20
PAGES = Description(
    name="preserved_range",
    id=1,
    version_id=0,
    fields=(
        Field("nr_pages", KS.BASE_TYPE, base_type("u32")),
        Field("pages", KS.CUSTOM, custom=Custom.PAGES),
    ),
)
"""The list of preserved pages: first to be registered, hence last in the stream."""


class Kstate:
    """One kernel.

    Attributes:
        states: What is registered, the newest first, which is the order of the stream.
        pages: Preserved pages of this kernel, as order and address.
        reserved: Pages that it found preserved: order and address.
        nr_pages: The live count of preserved pages.
        restorer: What restoring warned of, and the defects it met.
        leaked: How many buffers of a stream nobody frees any more.
    """

    def __init__(
        self,
        registry: Registry,
        stream: bytes | None = None,
        counts: Mapping[str, int] | None = None,
        *,
        strict: bool = False,
    ) -> None:
        """Boot, with the stream that the kernel before left.

        Args:
            registry: The descriptions of this kernel; that of preserved pages is its own.
            stream: What lies where the command line says, None without such a word.
            counts: What its count callbacks say.
            strict: Whether to refuse what the kernel only warns of.

        Raises:
            KernelFault: The stream leads this kernel astray.
            FormatError: Strictly, the list of pages does not fit.
        """
        self.version = registry.version
        self.states: list[State] = []
        self.pages: list[tuple[int, int]] = []
        self.reserved: list[tuple[int, int]] = []
        self.nr_pages = 0
        self.leaked = 0
        others = (item for item in registry if item.id != PAGES.id)
        self._registry = Registry(self.version, (PAGES, *others))
        self.restorer = Restorer(self._registry, counts or {}, strict=strict)
        self._stream = stream
        self._strict = strict
        self._instances: Counter[int] = Counter()
        self._known: set[tuple[int, int]] = set()
        self._list: dict[str, StateValue] = {}
        self.register(PAGES.id, self._list)
        self._reserve()

    def register(self, state_id: int, value: dict[str, StateValue]) -> State:
        """Register an object; what the stream has of it is restored, the last entry winning.

        Raises:
            KernelFault: The stream leads this kernel astray.
            FormatError: Strictly, an entry does not fit.
        """
        description = self._registry.get(state_id)
        if description is None:
            raise ValueError(f"no description {state_id}")
        self._instances[state_id] += 1
        state = State(description, self._instances[state_id], value)
        self.states.insert(0, state)
        if self._stream is not None:
            self._restore(state, self._stream)
        return state

    def preserve_page(self, address: int, order: int = 0) -> None:
        """Preserve a page."""
        if (order, address) in self._known:
            self.restorer.met(Defect.PAGE_TWICE)
        self._known.add((order, address))
        self.pages.append((order, address))
        self.nr_pages += 1

    def keeps_off(self, segment: MemoryRange) -> bool:
        """Whether v2 places no segment of an image there, as pages are preserved in it.

        It holds frame numbers against addresses, and a page of order 0 has no length.
        """
        self.restorer.met(Defect.UNPROTECTED)
        return any(
            MemoryRange(address >> _SHIFT, order << _SHIFT).overlaps(segment)
            for order, address in self.pages
            if order
        )

    def save(self) -> bytes:
        """What this kernel leaves: the stream, and in v2 the rest of its last page.

        Raises:
            KernelFault: It does not fit (v1), or a description has no end.
            ValueError: An object does not fit its description.
        """
        self._list["nr_pages"] = len(self.pages)
        self._list["pages"] = [{"order": order, "address": at} for order, at in self.pages]
        entries = []
        for state in self.states:
            check_end(state.description)
            try:
                entries.append(
                    encode.entry(self._registry, state.description, state.value, state.instance_id)
                )
            except ValueError:
                if self.version is KstateVersion.V2 and not self._strict:
                    self.restorer.met(Defect.BUFFER_LEAKED)
                    self.leaked += 1
                raise
        if self.nr_pages != len(self.pages):
            # Only the count is wrong: the walk over the list writes what there is.
            self.restorer.met(Defect.STALE_COUNT)
            header, data = entries[-1]
            entries[-1] = header, self.nr_pages.to_bytes(4, "little") + data[4:]
        stream = b"".join(write(self.version, entries))
        if self.version is KstateVersion.V1:
            if len(stream) > _V1_SEGMENT:
                raise KernelFault(Defect.NO_BOUNDS)
            return stream
        return stream.ljust(-(-len(stream) // _PAGE) * _PAGE, b"\0")

    def command_line(self, given: bytes, address: int, size: int, *, crash: bytes = b"") -> bytes:
        """The command line that the next kernel gets; `crash` is the word of a crash image."""
        place = command_line.StreamPlace(address, size)
        word = command_line.write(place, self.version)
        if crash and self.version is not KstateVersion.V1:
            self.restorer.met(Defect.PREFIX_LOST)
            return word + crash[len(word) :] + given
        return word + crash + given

    def _restore(self, state: State, stream: bytes) -> None:
        """Walk to the end; all but v1 give up where the first state id is 0."""
        wanted = (state.description.id, state.instance_id)
        first = self.version.start + self.version.header - 16
        if self._strict:
            entries = checked(stream, self.version)
        elif self.version is not KstateVersion.V1 and stream[first : first + 4] == bytes(4):
            self.restorer.warn("state id", f"at 0x{first:x}: {ZERO}")
            return
        else:
            entries = matches(stream, self.version, wanted)
        for entry in entries:
            if (entry.state_id, entry.instance_id) == wanted:
                self.restorer.restore(stream, entry, state.description, state.value)

    def _reserve(self) -> None:
        """Reserve the pages of the list, and forget the list but for its count."""
        pages = self._list.get("pages", [])
        for item in pages if isinstance(pages, Sequence) else ():
            if not isinstance(item, Mapping):
                continue
            order, address = item["order"], item["address"]
            assert isinstance(order, int)
            assert isinstance(address, int)
            if order > 1 and not self._strict:
                self.restorer.met(Defect.BYTE_IS_BOOL)
            self.reserved.append((order if self._strict else min(order, 1), address))
        count = self._list.get("nr_pages", 0)
        if isinstance(count, int) and not self._strict:
            self.nr_pages = count
