"""A blob of either side, by its name and its first bytes.

Up to 7.0 every blob is a device tree; from 7.1 on it may be anything, so the first bytes decide
between a tree and a struct, and the name says which struct.
"""

from collections.abc import Callable

from kho_console.abi import fdt, kexec_metadata, kho_test, luo, memblock
from kho_console.abi.error import FormatError
from kho_console.abi.fdt_header import MAGIC
from kho_console.abi.text import c_string
from kho_console.model.blob import Blob, BlobState, Field, Payload
from kho_console.model.tree import FlatTree
from kho_console.model.unknown import Cause, Unknown
from kho_console.model.value import dataclass

TREE_FORMAT = "fdt"
UNKNOWN_FORMAT = "unknown"


@dataclass(frozen=True, slots=True)
class _Meaning:
    format: str
    compatible: bytes | None = None
    payload: Payload | None = None
    fields: tuple[Field, ...] = ()
    state: BlobState = BlobState.VALID
    reason: str = ""


_NOT_TOLD = Unknown(Cause.ABSENT, "the root tree tells it, not the blob")


def interpret(name: bytes, content: bytes, page_size: int, *, incoming: bool) -> Blob:
    """What a blob says.

    Args:
        name: Its name below the root tree.
        content: Its bytes.
        page_size: 4096, 16384 or 65536.
        incoming: Whether it came from the previous kernel. Such a blob may be released by its
            owner, and then its file shows whatever reuses the memory.
    """
    meaning = _meaning(name, content, page_size, incoming)
    return Blob(
        name=name,
        size=len(content),
        format=meaning.format,
        compatible=meaning.compatible,
        state=meaning.state,
        reason=meaning.reason,
        address=_NOT_TOLD,
        content=content,
        payload=meaning.payload,
        fields=meaning.fields,
    )


def _meaning(name: bytes, content: bytes, page_size: int, incoming: bool) -> _Meaning:
    if not content:
        return _Meaning(UNKNOWN_FORMAT, state=BlobState.INVALID, reason="it is empty")
    if content[:4] == MAGIC:
        return _tree(content, page_size)
    decode = _STRUCTS.get(name)
    if decode is None and name not in _TREES:
        return _Meaning(UNKNOWN_FORMAT)
    try:
        if decode is None:
            raise FormatError(0, "no device tree magic")
        return decode(content)
    except FormatError as error:
        reason = f"not what {name.decode('latin-1')} should hold: {error}"
        if incoming:
            return _Meaning(
                UNKNOWN_FORMAT,
                state=BlobState.STALE,
                reason=f"released by the kernel; {reason}",
            )
        return _Meaning(UNKNOWN_FORMAT, state=BlobState.INVALID, reason=reason)


def _tree(content: bytes, page_size: int) -> _Meaning:
    try:
        tree = fdt.read(content)
    except FormatError as error:
        return _Meaning(TREE_FORMAT, state=BlobState.INVALID, reason=str(error))
    word = tree.root.value(b"compatible")
    compatible = None if word is None else c_string(word)
    if tree.faults:
        fault = tree.faults[0]
        reason = f"at 0x{fault.offset:x}: {fault.reason}"
        return _Meaning(TREE_FORMAT, compatible, tree, (), BlobState.INVALID, reason)
    try:
        payload, fields = _PAYLOADS.get(compatible, _plain)(tree, page_size)
    except FormatError as error:
        return _Meaning(TREE_FORMAT, compatible, tree, (), BlobState.INVALID, str(error))
    return _Meaning(TREE_FORMAT, compatible, payload, fields)


def _plain(tree: FlatTree, page_size: int) -> tuple[Payload, tuple[Field, ...]]:
    return tree, ()


def _memblock(tree: FlatTree, page_size: int) -> tuple[Payload, tuple[Field, ...]]:
    return memblock.decode(tree), memblock.fields(tree)


def _kho_test(tree: FlatTree, page_size: int) -> tuple[Payload, tuple[Field, ...]]:
    return kho_test.decode(tree, page_size), kho_test.fields(tree)


def _luo_tree(tree: FlatTree, page_size: int) -> tuple[Payload, tuple[Field, ...]]:
    return luo.decode_tree(tree)


def _luo_struct(content: bytes) -> _Meaning:
    word = luo.struct_word(content)
    if word is None:
        raise FormatError(0, "no luo-v word")
    format_word = word.partition(b";")[0].decode()
    if format_word.encode() != luo.STRUCT:
        return _Meaning(UNKNOWN_FORMAT, word, reason=f"{format_word} is not known here")
    header, fields = luo.decode_struct(content)
    return _Meaning(format_word, header.compatible, header, fields)


def _kexec_metadata(content: bytes) -> _Meaning:
    value = kexec_metadata.decode(content)
    fields = kexec_metadata.fields(content)
    return _Meaning(kexec_metadata.NAME.decode(), None, value, fields)


_PAYLOADS: dict[bytes | None, Callable[[FlatTree, int], tuple[Payload, tuple[Field, ...]]]] = {
    memblock.COMPATIBLE: _memblock,
    kho_test.COMPATIBLE: _kho_test,
    luo.TREE: _luo_tree,
}
_STRUCTS: dict[bytes, Callable[[bytes], _Meaning]] = {
    luo.NAME: _luo_struct,
    kexec_metadata.NAME: _kexec_metadata,
}
_TREES = frozenset({memblock.NAME, kho_test.NAME})
