"""A moment for others to see: nobody's names, and no memory but what is decoded.

A name becomes letters of the same length, the same ones wherever it stands, so that what is decoded
from memory stays what it was. The letters cannot be led back: their key is thrown away.

What nobody here reads is not taken at all: a moment for others begins with what a look asks for.
"""

import gzip
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b

from kho_console.abi import kernel_config, kexec_metadata, kho_test, luo, memblock, udev_rules
from kho_console.abi.error import FormatError
from kho_console.engine import paths, records, sessions, shareable_log
from kho_console.engine.fixture_writer import Moment
from kho_console.model.blob import MemblockTree
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import Process, Source
from kho_console.source.recording import answers
from kho_console.source.recording.answers import Unanswered

_HOST, _DESCRIPTION = "host", "scrambled"
_SHORTEST = 3
"""Bytes of a word that is hidden; a shorter one tells nothing."""

_KEPT = re.compile(
    rb"kho(?:_\w+)?|crashkernel|reserve_mem|liveupdate|mem|memmap|maxcpus|nr_cpus|numa\w*|nokaslr"
    rb"|hugepages\w*|hugepagesz|default_hugepagesz|movable\w*|kernelcore|lockdown|earlycon|panic"
    rb"|console|initcall_debug|cma|hugetlb_cma|kexec\w*|quiet|ro|rw|debug"
)
"""Options of a kernel's command line whose values say nothing of their host."""

_PRODUCERS = (kexec_metadata.NAME, kho_test.NAME, luo.NAME, memblock.NAME)
_COMMON = re.compile(
    rb"compatible|fdt|preserved-memory-map|size|start|sys|kernel|debug(?:fs)?|System|RAM|Crash"
)
"""What stands in trees, paths and lists for everybody; a name that is one of these stays."""

_SESSION = b"anon_inode:[luo_session] "
_COMMAND_LINE = answers.path_key(answers.FILE, paths.CMDLINE)
_BOOT_ID = answers.path_key(answers.FILE, f"{paths.SYSCTL}/random/boot_id")
_MOUNTS = answers.path_key(answers.FILE, "/proc/mounts")
_CONFIGS = re.compile(answers.FILE + rb"/(?:proc/config\.gz|boot/config-.*)", re.DOTALL)
_BLOBS = re.compile(answers.FILE + rb".*/(out|in)/sub_fdts/([^/]+)", re.DOTALL)
_RULE_FOLDER = re.compile(answers.FOLDER + rb"/.*/udev/rules\.d")
_RULES = re.compile(answers.FILE + rb"/.*/udev/rules\.d/.*", re.DOTALL)
"""What loads a crash image anew; other rules tell of people and their devices."""

_COMMENT = re.compile(rb"^\s*#.*\n?", re.MULTILINE)


def scrambled(moment: Moment, snapshot: Snapshot, source: Source) -> Moment:
    """The moment without names, command lines, and what no decoder recognised.

    Args:
        moment: What a machine answered to a look, and nothing else.
        snapshot: The same, decoded.
        source: The machine.
    """
    recognised, header = records.recognised(snapshot, source), records.core_header(snapshot)
    blobs, pages = records.blob_files(snapshot), recognised | header
    strange = _strange_blobs(moment, blobs)
    told = [*_sessions(snapshot), *_regions(snapshot), *strange]
    names = _Names(_secrets(moment, snapshot), told, _hosts(moment))
    renamed = _renaming(os.fsencode(moment.facts.release), strange, names)
    changes: dict[bytes, Callable[[bytes], bytes]] = {
        answers.PROCESSES: lambda data: _processes(data, names),
        answers.KERNEL_LOG: lambda data: names.hide(shareable_log.lines(snapshot)),
        _COMMAND_LINE: names.hide,
        _MOUNTS: lambda data: names.hide_host(_debugfs_only(data)),
        _BOOT_ID: names.digits,
    }
    found: dict[bytes, bytes] = {}
    for key, value in moment.answers.items():
        change = changes.get(key, names.hide_host)
        if key.startswith(answers.PAGE):
            if _address(key) not in pages:
                continue
            change = names.hide_in_records if _address(key) in recognised else bytes
        elif _CONFIGS.fullmatch(key):
            change = _switches
        elif _RULES.fullmatch(key):
            if not udev_rules.NAME.fullmatch(os.fsdecode(key.rpartition(b"/")[2])):
                continue
            change = _rules(names)
        elif _RULE_FOLDER.fullmatch(key):
            change = _rules_only
        elif (blob := _BLOBS.fullmatch(key)) and blob.groups() not in blobs:
            change = _left_out
        elif key.startswith(answers.FOLDER):
            change = _each_name(renamed)
        with suppress(FormatError):
            found[key if key.startswith(answers.PAGE) else renamed(key)] = _changed(value, change)
    facts = replace(
        moment.facts,
        hostname=_HOST,
        description=_DESCRIPTION,
        release=os.fsdecode(names.hide_host(os.fsencode(moment.facts.release))),
    )
    return replace(moment, facts=facts, answers=found)


def _address(key: bytes) -> int:
    return int.from_bytes(key[1:], "big")


class _Names:
    """Names and what stands for them."""

    def __init__(
        self, names: Iterable[bytes], fields: Collection[bytes], hosts: Collection[bytes]
    ) -> None:
        self._key = secrets.token_bytes(16)
        words = _words([*names, *fields, *hosts])
        self._words = re.compile(shareable_log.NAMES.pattern + b"|" + words.pattern, re.MULTILINE)
        self._hosts = _words(hosts)
        self._fields = re.compile(rb"(?<![A-Za-z0-9_])(?:%s)(?=\0)" % _any_of([*fields, *hosts]))

    def hide(self, data: bytes) -> bytes:
        """A text with other names in it."""
        return self._letters_for(self._words, data)

    def hide_host(self, data: bytes) -> bytes:
        """What the kernel alone writes: no other name is in its texts."""
        return self.hide_in_records(data) if b"\0" in data else self._letters_for(self._hosts, data)

    def hide_in_records(self, page: bytes) -> bytes:
        """Bytes with other names of sessions, regions and blobs, each of which ends with a NUL."""
        return self._letters_for(self._fields, page)

    def _letters_for(self, pattern: re.Pattern[bytes], data: bytes) -> bytes:
        return pattern.sub(lambda found: self.letters(found[0]), data)

    def letters(self, name: bytes) -> bytes:
        """Letters for a name; what stands between words stays."""
        noise = self._noise(name)
        return bytes(
            byte if byte in b" /-_.:,=[]()\0\n" else 97 + noise[at % 64] % 26
            for at, byte in enumerate(name)
        )

    def digits(self, name: bytes) -> bytes:
        """Hexadecimal digits for those of an identifier."""
        noise = self._noise(name)
        return bytes(
            byte if byte in b"-\n" else b"0123456789abcdef"[noise[at % 64] % 16]
            for at, byte in enumerate(name)
        )

    def _noise(self, name: bytes) -> bytes:
        return blake2b(name, key=self._key).digest()


def _words(names: Iterable[bytes]) -> re.Pattern[bytes]:
    return re.compile(rb"(?<![A-Za-z0-9_])(?:%s)(?![A-Za-z0-9_])" % _any_of(names))


def _any_of(names: Iterable[bytes]) -> bytes:
    """A pattern of all names, the longest first; one that nothing fits where there is none."""
    longest_first = sorted({name for name in names if name}, key=lambda name: (-len(name), name))
    return b"|".join(map(re.escape, longest_first)) or b"(?!)"


def _sessions(snapshot: Snapshot) -> list[bytes]:
    found = snapshot.inventory.sessions
    return [] if isinstance(found, Unknown) else [item.name for item in found]


def _regions(snapshot: Snapshot) -> Iterator[bytes]:
    """Names of `reserve_mem` regions, which an operator gives."""
    line = snapshot.machine.command_line
    found = (
        [] if isinstance(line, Unknown) else re.findall(rb"reserve_mem=[^:\s]*:[^:\s]*:(\S+)", line)
    )
    for side in (snapshot.outgoing, snapshot.incoming):
        if not isinstance(side, Unknown) and not isinstance(side.blobs, Unknown):
            trees = (item.payload for item in side.blobs if isinstance(item.payload, MemblockTree))
            found += [region.name for tree in trees for region in tree.regions]
    yield from (name for name in found if len(name) >= _SHORTEST and not _is_common(name))


def _strange_blobs(moment: Moment, known: Collection[tuple[bytes, bytes]]) -> set[bytes]:
    """Names of blobs whose producers nobody here knows."""
    there = (_BLOBS.fullmatch(key) for key in moment.answers)
    names = {found[2] for found in there if found}.difference(_PRODUCERS)
    return {name for name in names.difference(name for _, name in known) if not _is_common(name)}


def _is_common(name: bytes) -> bool:
    return name in _PRODUCERS or bool(_COMMON.fullmatch(name) or _KEPT.fullmatch(name))


def _renaming(
    release: bytes, blobs: Collection[bytes], names: "_Names"
) -> Callable[[bytes], bytes]:
    """Gives paths, and the names in a directory, another name where they tell one."""
    hidden = names.hide_host(release)

    def renamed(path: bytes) -> bytes:
        head, slash, name = path.replace(release, hidden).rpartition(b"/")
        return head + slash + (names.letters(name) if name in blobs else name)

    return renamed


def _each_name(renamed: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda data: b"\0".join(map(renamed, data.split(b"\0")))


def _secrets(moment: Moment, snapshot: Snapshot) -> Iterator[bytes]:
    """Names that tell whose machine it is, and what it does."""
    found = [*_of_command_line(snapshot)]
    for process in _listed(moment):
        found += [process.command, *process.command.split(b" ")]
    yield from (name for name in found if len(name) >= _SHORTEST)


def _hosts(moment: Moment) -> list[bytes]:
    """The host's name, whole and without its domain; a host named `kho` shares that with KHO."""
    host = os.fsencode(moment.facts.hostname)
    names = (host, host.partition(b".")[0])
    return [name for name in names if len(name) >= _SHORTEST and not _is_common(name)]


def _of_command_line(snapshot: Snapshot) -> Iterator[bytes]:
    line = snapshot.machine.command_line
    lines = [] if isinstance(line, Unknown) else [line]
    for word in b" ".join((*lines, *shareable_log.command_lines(snapshot))).split():
        option, is_value, value = word.partition(b"=")
        if is_value and not _KEPT.fullmatch(option):
            yield value
        elif not is_value and not _KEPT.fullmatch(option):
            yield word


def _listed(moment: Moment) -> tuple[Process, ...]:
    found = answers.told(
        moment.answers.get(answers.PROCESSES), answers.read_processes, "processes are"
    )
    return () if isinstance(found, Unknown) else found


def _changed(value: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The value with another answer; why there is none stays."""
    try:
        return answers.known(change(answers.answer(value)))
    except Unanswered:
        return value


def _left_out(data: bytes) -> bytes:
    raise FormatError(0, "no decoder knows it")


def _switches(config: bytes) -> bytes:
    """The options that are on; the others have names, paths and a command line in them."""
    found = kernel_config.parse(config).items()
    lines = (f"{name}={value}\n" for name, value in found if value in ("y", "m"))
    return gzip.compress("".join(lines).encode(), mtime=0)


def _rules(names: _Names) -> Callable[[bytes], bytes]:
    return lambda data: names.hide(_COMMENT.sub(b"", data))


def _processes(data: bytes, names: _Names) -> bytes:
    """Processes with other words, and of their descriptors those of live update."""
    found = []
    for item in filter(None, map(sessions.concerned, answers.read_processes(data))):
        opened = item.descriptors
        if not isinstance(opened, Unknown):
            opened = {at: _target(target, names) for at, target in opened.items()}
        found.append(Process(item.pid, names.letters(item.command), opened))
    return answers.processes(tuple(found))[1:]


def _target(target: bytes, names: _Names) -> bytes:
    if target.startswith(_SESSION):
        return _SESSION + names.letters(target.removeprefix(_SESSION))
    return target if target == paths.LIVEUPDATE.encode() else names.letters(target)


def _rules_only(names: bytes) -> bytes:
    found = answers.read_names(names)
    return answers.names(tuple(filter(udev_rules.NAME.fullmatch, found)))[1:]


def _debugfs_only(mounts: bytes) -> bytes:
    return b"".join(
        line + b"\n" for line in mounts.splitlines() if line.split(b" ")[2:3] == [b"debugfs"]
    )
