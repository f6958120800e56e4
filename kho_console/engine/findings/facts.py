"""A snapshot with the texts in it read once for all rules."""

from collections.abc import Iterator
from functools import lru_cache

from kho_console.abi import command_line, kernel_log, kernel_warning
from kho_console.abi.command_line import CommandLine
from kho_console.abi.kernel_log import LogFact, LogKind, LogLine
from kho_console.abi.kernel_warning import KernelWarning
from kho_console.engine import paths
from kho_console.engine.generation import release_number
from kho_console.engine.handover_code import concerns_handover
from kho_console.engine.paths import Handover, Handover2024
from kho_console.model.finding import Evidence, Thing
from kho_console.model.generation import Protocol
from kho_console.model.snapshot import Side, Snapshot
from kho_console.model.unknown import Cause, Unknown
from kho_console.model.value import dataclass

KERNEL_LOG = "/dev/kmsg"

_MOST_WARNINGS = 100


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules look at.

    Attributes:
        snapshot: The machine.
        line: Its command line; None where that is not known.
        log: What its kernel log tells; nothing where that is not known.
        warnings: What the kernel complained about in handover code, the first 100.
    """

    snapshot: Snapshot
    line: CommandLine | None
    log: tuple[LogFact, ...]
    warnings: tuple[KernelWarning, ...]

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Facts":
        """The facts of a snapshot."""
        line, log = snapshot.machine.command_line, snapshot.machine.kernel_log
        told, warnings = ((), ()) if isinstance(log, Unknown) else _log_facts(log)
        arguments = None if isinstance(line, Unknown) else _arguments(line)
        return cls(snapshot, arguments, told, warnings)

    @property
    def where(self) -> Handover:
        """The debugfs tree; in the series of 2024 the folders in sysfs."""
        if self.snapshot.generation.protocol is Protocol.RFC_2024:
            return Handover2024()
        mount = self.snapshot.debugfs
        return Handover(paths.DEBUGFS if isinstance(mount, Unknown) else mount)

    @property
    def release(self) -> tuple[int, int] | None:
        """Major and minor number of the release, None where it is not of that form."""
        return release_number(self.snapshot.machine.release)

    @property
    def sides(self) -> tuple[tuple[str, Side], ...]:
        """The sides that are there, each with its directory."""
        found = [(self.where.outgoing, self.snapshot.outgoing)]
        if not isinstance(self.snapshot.incoming, Unknown):
            found.append((self.where.incoming, self.snapshot.incoming))
        return tuple(found)

    def thing(self, place: str, name: str | None = None) -> Thing:
        """The blob of that name in the directory of a side; without a name its root tree."""
        return Thing(name, place == self.where.incoming)

    @property
    def absent(self) -> bool:
        """Whether it is known that the kernel shows no handover."""
        why = self.snapshot.unavailable
        return why is not None and why.cause is Cause.ABSENT

    @property
    def kho_built(self) -> bool | None:
        """Whether the kernel is built with KHO, None where that is not known."""
        return self.option("CONFIG_KEXEC_HANDOVER")

    @property
    def kho_enabled(self) -> bool | None:
        """Whether the command line or the default switches KHO on, None where not known.

        A malformed `kho=` leaves the default, which is off before 6.19.
        """
        if self.line is None:
            return None
        if isinstance(self.line.kho, bool):
            return self.line.kho
        if self.release is not None and self.release < (6, 19):
            return False
        return self.option("CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT")

    @property
    def bootmem(self) -> bool:
        """Whether the kernel calls scratch bootmem (7.4 and later)."""
        if self.snapshot.unavailable is None:
            return self.snapshot.generation.scratch == "bootmem"
        return self.release is not None and self.release >= (7, 4)

    def option(self, name: str) -> bool | None:
        """Whether a build option is on, None where the configuration is not known."""
        config = self.snapshot.machine.config
        return None if isinstance(config, Unknown) else config.get(name) == "y"

    def built_with(self, name: str) -> Evidence:
        """The build option as the kernel's configuration has it."""
        config = self.snapshot.machine.config
        value = "not known" if isinstance(config, Unknown) else config.get(name)
        return Evidence(
            f"/proc/config.gz or /boot/config-{self.snapshot.machine.release}",
            f"# {name} is not set" if value is None else f"{name}={value}",
        )

    def said(self, *kinds: LogKind) -> tuple[LogFact, ...]:
        """The lines of these kinds, in order."""
        return tuple(fact for fact in self.log if fact.kind in kinds)

    def given(self, *names: str) -> tuple[Evidence, ...]:
        """The arguments of these names as the command line has them."""
        if self.line is None:
            return ()
        wanted = {name.encode() for name in names}
        return tuple(
            argument(item.name, item.value)
            for item in self.line.arguments
            if item.name.replace(b"-", b"_") in wanted
        )


@lru_cache(maxsize=2)
def _arguments(line: bytes) -> CommandLine:
    """What a command line says; the screens ask for it at every key."""
    return command_line.parse(line)


@lru_cache(maxsize=2)
def _log_facts(log: str) -> tuple[tuple[LogFact, ...], tuple[KernelWarning, ...]]:
    """What a log tells; a full one takes seconds to read and seldom changes between looks."""
    warnings: list[KernelWarning] = []

    def lines() -> Iterator[LogLine]:
        for item in kernel_warning.gather(kernel_log.parse(log)):
            if isinstance(item, LogLine):
                yield item
                continue
            if len(warnings) < _MOST_WARNINGS and concerns_handover(item):
                warnings.append(item)
            yield from item.lines

    return kernel_log.facts(lines()), tuple(warnings)


def argument(name: bytes, value: bytes | None) -> Evidence:
    """One argument of the command line."""
    whole = name if value is None else name + b"=" + value
    return Evidence(paths.CMDLINE, whole.decode("utf-8", "surrogateescape"))


def logged(fact: LogFact) -> Evidence:
    """A line of the kernel log."""
    return Evidence(KERNEL_LOG, fact.line.text)
