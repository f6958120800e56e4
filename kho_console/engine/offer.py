"""What the boot protocol carried: proof of a handover boot without debugfs."""

import re

from kho_console.abi import chosen, setup_data
from kho_console.abi.error import FormatError
from kho_console.abi.setup_data import SetupHandover
from kho_console.engine import files, paths
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source


def offered(source: Source) -> Maybe[SetupHandover]:
    """Where the handover lay that this kernel was started with, taken or refused.

    x86 keeps it readable for everybody below boot_params, arm64 in the device tree's /chosen.
    """
    entries = files.names(source, paths.SETUP_DATA)
    if isinstance(entries, Unknown):
        return _from_chosen(source) if entries.cause is Cause.ABSENT else entries
    unread: Unknown | None = None
    for entry in filter(re.compile(r"\d{1,6}").fullmatch, entries):
        folder = f"{paths.SETUP_DATA}/{entry}"
        kind = files.parsed(source, f"{folder}/type", setup_data.parse_type)
        if isinstance(kind, Unknown):
            unread = kind
        elif kind == setup_data.TYPE_KHO:
            return files.parsed(source, f"{folder}/data", setup_data.decode)
    return unread or Unknown(
        Cause.ABSENT, "no setup_data of type 10: a cold boot, or a plain kexec"
    )


def _from_chosen(source: Source) -> Maybe[SetupHandover]:
    tree, mem = _tree_of_chosen(source)
    areas = files.raw(source, f"{paths.CHOSEN}/linux,kho-scratch")
    if isinstance(tree, Unknown):
        if tree.cause is Cause.ABSENT:
            return Unknown(Cause.ABSENT, "neither setup_data nor /chosen carried a handover")
        return tree
    if isinstance(areas, Unknown):
        return areas
    if isinstance(mem, Unknown):
        return mem
    root = paths.CHOSEN.rpartition("/")[0]
    try:
        address, size = (
            chosen.decode_cell_count(source.read(f"{root}/#{word}-cells"))
            for word in ("address", "size")
        )
        return chosen.decode(tree, areas, address, size, mem)
    except FormatError as error:
        return Unknown(Cause.INVALID, f"{paths.CHOSEN}: {error.reason}", error.offset)
    except OSError as error:
        return Unknown(Cause.UNREADABLE, f"{root}: {error}")


def _tree_of_chosen(source: Source) -> tuple[Maybe[bytes], Maybe[bytes | None]]:
    """Where the tree lies, and in the series of 2024 the array of preserved memory."""
    tree = files.raw(source, f"{paths.CHOSEN}/linux,kho-fdt")
    if not isinstance(tree, Unknown) or tree.cause is not Cause.ABSENT:
        return tree, None
    older = files.raw(source, f"{paths.CHOSEN}/linux,kho-dt")
    return older, files.raw(source, f"{paths.CHOSEN}/linux,kho-mem")
