"""Registered state, and how an object gets its fields back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kho_console.abi.error import FormatError
from kho_console.abi.kstate import decode
from kho_console.abi.kstate.description import KS, Description, Registry
from kho_console.model.kstate import KstateEntry, StateValue
from kho_console.twin.kstate.defects import Defect, KernelFault

ZERO = "state id 0, it gives up"
"""What kernels but v1 warn of where a stream begins so."""


@dataclass(eq=False)
class State:
    """One registered object.

    Attributes:
        description: What it is described by.
        instance_id: Which of those.
        value: Its fields by name, which saving reads and restoring changes.
        subsections: Those that are saved with it, by id.
    """

    description: Description
    instance_id: int
    value: dict[str, StateValue]
    subsections: dict[int, dict[str, StateValue]] = field(default_factory=dict)


class Restorer:
    """Puts the fields of entries into objects.

    Attributes:
        warnings: What the kernel warned of; of each kind once.
        defects: The defects that were met.
    """

    def __init__(self, registry: Registry, counts: Mapping[str, int], *, strict: bool) -> None:
        """Restore by `registry`, with `counts` of this machine.

        Args:
            registry: The descriptions of this kernel.
            counts: What its count callbacks say.
            strict: Whether to refuse what the kernel only warns of.
        """
        self.warnings: list[str] = []
        self.defects: list[Defect] = []
        self._registry = registry
        self._counts = counts
        self._strict = strict
        self._warned: set[str] = set()

    def restore(
        self,
        stream: bytes,
        entry: KstateEntry,
        description: Description,
        value: dict[str, StateValue],
    ) -> None:
        """Restore one object.

        Raises:
            FormatError: Strictly, it does not fit.
            KernelFault: The kernel reads behind the stream.
        """
        data = stream[entry.data : entry.end]
        if self._strict:
            value.update(decode.strictly(self._registry, entry, data, self._counts))
            return
        check_end(description)
        reader = decode.Decoder(
            self._registry, stream[entry.data :], entry.data, self._counts, bounded=False
        )
        try:
            value.update(reader.fields(description, entry.version_id, entry.size))
        except FormatError as error:
            raise KernelFault(Defect.READS_ON) from error
        for kind, first in reader.once.items():
            self.warn(kind, first.reason)
        if reader.at != entry.end:
            self.met(Defect.READS_ON if reader.at > entry.end else Defect.NOT_CONSUMED)
            if self._registry.counted(description):
                self.met(Defect.COUNTED_AGAIN)

    def warn(self, kind: str, said: str) -> None:
        """Warn, of each kind once."""
        if kind not in self._warned:
            self.warnings.append(said)
        self._warned.add(kind)

    def met(self, defect: Defect) -> None:
        """Note a defect."""
        if defect not in self.defects:
            self.defects.append(defect)


def check_end(description: Description) -> None:
    """That an end mark among the fields is nothing else.

    Raises:
        KernelFault: It has another flag: the kernel compares, and runs on.
    """
    if any(item.flags & KS.END and item.flags != KS.END for item in description.fields):
        raise KernelFault(Defect.END_IS_COMPARED)
