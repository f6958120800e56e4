"""The verb `decode`: what a file of one format holds."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice

from kho_console import text, text_acting
from kho_console.cli import exit_code, output
from kho_console.engine.formats import FormatError
from kho_console.engine.opening import CannotOpenError, fixture
from kho_console.model.finding import Finding, Severity
from kho_console.model.kstate import DecodedEntry, KstateVersion, StateValue
from kho_console.model.pkram import PkramNode, PkramVersion
from kho_console.model.tree import TreeNode
from kho_console.model.unknown import Unknown

_BEHIND = 64 << 10
_HEX_LINES = 16
_AT_ONCE = 64
"""Entries that are printed together."""


def decode(wanted: Namespace) -> int:
    """Decode one file; damage is bad news, with what could be read all the same."""
    try:
        return _FORMATS[wanted.format](wanted)
    except FormatError as error:
        output.say(f"{text.escaped(wanted.file)}: {text.escaped(str(error))}")
        return exit_code.BAD_NEWS
    except CannotOpenError as error:
        output.say(str(error))
        return exit_code.NOT_AVAILABLE
    except BrokenPipeError:
        raise
    except OSError as error:
        output.say(text.escaped(error.strerror or str(error)))
        return exit_code.NOT_AVAILABLE


def _kstate(wanted: Namespace) -> int:
    from kho_console.documents import kstate as kstate_documents
    from kho_console.engine.formats.kstate import KstateStream, descriptions
    from kho_console.engine.mechanisms import observe

    version = None if wanted.version is None else KstateVersion(wanted.version)
    with observe.stream(wanted.file) as (reader, named):
        version = version or named
        stream = KstateStream(reader, version, strict=wanted.strict)
        if wanted.descriptions is not None:
            try:
                registry = descriptions(stream.version, wanted.descriptions)
            except FormatError as error:
                output.say(f"{text.escaped(wanted.descriptions)}: {text.escaped(error.reason)}")
                return exit_code.USAGE
            stream = KstateStream(reader, version, registry, strict=wanted.strict)
        if wanted.json:
            output.streamed(
                kstate_documents.kstate(
                    stream.version,
                    stream.entries(),
                    lambda: (
                        stream.terminated,
                        stream.end,
                        stream.behind(_BEHIND),
                        stream.findings(),
                    ),
                )
            )
        else:
            output.line(_title("kstate", stream.version, told=version is not None))
            entries = stream.entries()
            while some := list(islice(entries, _AT_ONCE)):
                output.lines(line for entry in some for line in _entry(entry))
            end = "end mark" if stream.terminated else "no end mark"
            output.line(f"0x{stream.end:08x}  {end}")
        return told(stream.findings(), shown=not wanted.json)


def _title(name: str, version: str, *, told: bool) -> str:
    """A file need not be what it is read as, but where somebody says so."""
    return f"{name} {version}" if told else f"{name}, read as {version}"


def told(findings: list[Finding], *, shown: bool) -> int:
    """Print findings where they are to be shown; the exit code that they make."""
    if shown:
        for finding in findings:
            output.line(f"{finding.severity}  {finding.subject}: {finding.text}")
    bad = any(finding.severity is Severity.ERROR for finding in findings)
    return exit_code.BAD_NEWS if bad else exit_code.DONE


def _entry(found: DecodedEntry) -> Iterator[str]:
    entry = found.entry
    section = {None: "", 1: "  subsection", 2: "  section"}[entry.section]
    name = "no description" if isinstance(found.name, Unknown) else text.escaped(found.name)
    yield (
        f"0x{entry.offset:08x}  {name}{section}  id {entry.state_id}  version {entry.version_id}  "
        f"instance {entry.instance_id}  {text.size(entry.size)}"
    )
    if not isinstance(found.fields, Unknown):
        yield from _fields(found.fields, 1)
        return
    if not isinstance(found.name, Unknown):
        yield f"            fields {text.why(found.fields)}"
    if not isinstance(found.content, Unknown):
        yield from _hex(found.content, entry.data)


def _fields(fields: Mapping[str, StateValue], depth: int) -> list[str]:
    lines: list[str] = []
    for name, value in fields.items():
        label = _label(name, depth)
        if not isinstance(value, list):
            lines += _value(label, value, depth)
        elif not value:
            lines.append(f"{label} = none")
        else:
            for at, item in enumerate(value):
                lines += _value(f"{label}[{at}]", item, depth)
    return lines


@lru_cache
def _label(name: str, depth: int) -> str:
    return " " * (10 + 2 * depth) + text.escaped(name)


def _value(label: str, value: StateValue, depth: int) -> list[str]:
    if isinstance(value, int):
        return [f"{label} = {text.number(value)}"]
    if isinstance(value, bytes):
        return [f"{label} = {text.escaped(value)}"]
    if isinstance(value, Mapping):
        return [label, *_fields(value, depth + 1)]
    return [f"{label} = {value}"]


def _hex(content: bytes, offset: int) -> Iterator[str]:
    for at in range(0, min(len(content), 16 * _HEX_LINES), 16):
        row = content[at : at + 16]
        yield f"            {offset + at:08x}  {row.hex(' '):<47}  |{text.printable(row)}|"
    left = len(content) - 16 * _HEX_LINES
    if left > 0:
        yield f"            .. and {text.count(left, 'byte')} more"


def _pkram(wanted: Namespace) -> int:
    from kho_console.documents import pkram as pkram_documents
    from kho_console.engine.formats import file, pkram

    version = None if wanted.version is None else PkramVersion(wanted.version)
    machine = fixture(wanted.file)
    if machine is not None:
        from kho_console.engine.mechanisms import observe

        pfn = observe.super_block(machine) if wanted.pfn is None else wanted.pfn
        found, findings = pkram.read(machine.memory, pfn, version, listed=wanted.pages)
    elif wanted.pfn is None:
        output.say("an image of memory does not tell where the super block is: give --pfn HEX")
        return exit_code.USAGE
    else:
        with file(wanted.file) as reader:
            image = pkram.FlatImage(reader)
            found, findings = pkram.read(image, wanted.pfn, version, listed=wanted.pages)
    if wanted.json:
        output.document(pkram_documents.pkram(found, findings))
    else:
        title = _title("PKRAM", found.version, told=version is not None)
        output.line(f"{title}  super block 0x{found.pfn:x}")
        for node in found.nodes:
            for line in _node(node):
                output.line(line)
        regions = text.explained(found.regions, lambda known: text.count(len(known), "region"))
        output.line(f"reserved by the next kernel: {regions}")
    return told(findings, shown=not wanted.json)


def _node(node: PkramNode) -> Iterator[str]:
    yield f"node {text.escaped(node.name)}  {text.count(len(node.objects), 'object')}"
    for item in node.objects:
        blocks = item.blocks_by_order.items()
        orders = ", ".join(f"order {order}: {number:,}" for order, number in blocks)
        yield (
            f"  object 0x{item.pfn:x}  pages {text.size(item.page_bytes)} ({orders or 'none'})"
            f"  bytes {text.size(item.byte_count)}"
        )
        for page in () if item.content is None else item.content.pages:
            where = f"{page.index}: {text.address(page.address)}"
            yield f"    {where}  order {page.order}  flags 0x{page.flags:x}"


def _fdt(wanted: Namespace) -> int:
    from kho_console.documents import fdt as fdt_documents
    from kho_console.engine import trees
    from kho_console.engine.formats import fdt, file

    with file(wanted.file) as reader:
        found, layout, findings = fdt.read(reader)
    if wanted.json:
        output.document(fdt_documents.fdt(found, layout, findings))
    else:
        sys.stdout.write(trees.source_text(found))
        for finding in findings:
            output.say(finding.text)
    return told(findings, shown=False)


def _kho2024(wanted: Namespace) -> int:
    from kho_console.documents import kho2024 as kho2024_documents
    from kho_console.engine.formats import fdt, file

    with file(wanted.file) as reader:
        found, tree, layout, findings = fdt.read_2024(reader)
    if wanted.json:
        output.document(kho2024_documents.kho2024(found, tree, layout, findings))
        return told(findings, shown=False)
    word = next((item.value for item in tree.root.properties if item.name == b"compatible"), b"")
    kind = text.escaped(word.rstrip(b"\0")) or "no compatible"
    size, nodes = text.count(tree.size, "byte"), text.count(_nodes(tree.root), "node")
    output.line(f"root tree  {kind}  {size}  {nodes}  {text.count(len(found.mem), 'mem array')}")
    for item in found.mem:
        output.line(f"{text.escaped(item.path)}  {text.count(len(item.ranges), 'range')}")
        for kept in item.ranges:
            output.line(f"  {text.address(kept.start)}  {text.exact(kept.size)}")
    if found.events:
        output.line(text.count(len(found.events), "trace event"))
    for fingerprint, number in found.events:
        output.line(f"  fingerprint 0x{fingerprint:08x}  type {number}")
    for array in found.arrays:
        flags = "no trace flags" if array.flags is None else f"trace flags 0x{array.flags:x}"
        output.line(f"trace array {text.escaped(array.name)}  {flags}")
        for cpu in array.cpus:
            pages = text.count(len(cpu.pages), "page")
            output.line(f"trace array {text.escaped(array.name)}  CPU {cpu.cpu}  {pages}")
    return told(findings, shown=True)


def _nodes(node: TreeNode) -> int:
    return 1 + sum(map(_nodes, node.children))


def _elfcorehdr(wanted: Namespace) -> int:
    from kho_console.documents import elfcorehdr as elfcorehdr_documents
    from kho_console.engine.formats import elfcorehdr, file

    with file(wanted.file) as reader:
        found, size, layout, findings = elfcorehdr.read(reader)
    if wanted.json:
        output.document(elfcorehdr_documents.elfcorehdr(found, size, layout, findings))
        return told(findings, shown=False)
    order = "little" if found.little_endian else "big"
    output.line(f"ELF core header  machine {found.machine}  {order}-endian")
    for note in found.notes:
        output.line(f"note    {text.address(note.start)}  {text.exact(note.size)}")
    for load in found.loads:
        copy = "" if load.copy is None else f"  its copy at {text.address(load.copy)}"
        place = f"{text.address(load.range.start)}  {text.exact(load.range.size)}"
        output.line(f"{load.kind:<6}  {place}  virtual {text.address(load.virtual, 16)}{copy}")
    return told(findings, shown=True)


def _image(wanted: Namespace) -> int:
    from kho_console.documents import image as image_documents
    from kho_console.engine.formats import file, image

    with file(wanted.file) as reader:
        found, findings = image.read(reader)
    if wanted.json:
        output.document(image_documents.kernel_image(found, findings))
        return told(findings, shown=False)
    output.line(text_acting.kernel_image(found))
    for name, words in (
        ("machine", text.told(found.machine, text.escaped)),
        ("page size", text.explained(found.page_size, text.size)),
        ("memory", text.explained(found.memory_size, text.exact)),
        ("alignment", text.explained(found.alignment, text.size)),
        ("command line", text.explained(found.command_line_limit, lambda most: f"{most} bytes")),
        ("signature", text.explained(found.signed, lambda there: "attached" if there else "none")),
        ("compression", text.explained(found.compression, text.escaped)),
        ("build options", text.explained(found.config, lambda known: f"{len(known):,}")),
    ):
        output.line(f"{name:<14} {words}")
    return told(findings, shown=True)


_FORMATS: dict[str, Callable[[Namespace], int]] = {
    "elfcorehdr": _elfcorehdr,
    "fdt": _fdt,
    "image": _image,
    "kho2024": _kho2024,
    "kstate": _kstate,
    "pkram": _pkram,
}
