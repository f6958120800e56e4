"""Device tree source: the text form that `dtc` reads (Devicetree Specification 0.4, section 6).

Values are written as byte strings, which keeps every bit whatever a value means; what is known of
the meaning stands beside it as a comment.
"""

import re
from collections.abc import Callable, Iterator

from kho_console.model.tree import FlatTree, Property, TreeNode

_INDENT = "\t"
_NOT_IN_NODE_NAMES = re.compile(rb"[^a-zA-Z0-9,._+@-]")
_NOT_IN_PROPERTY_NAMES = re.compile(rb"[^a-zA-Z0-9,._+*#?-]")


def write(tree: FlatTree, comment: Callable[[Property], str | None]) -> str:
    """The source of a tree.

    Args:
        tree: The tree; faults are listed in front.
        comment: What to say of a property's value, None for nothing. It must be ASCII text.
    """
    lines = ["/dts-v1/;", ""]
    lines += [_remark(f"at 0x{fault.offset:x}: {fault.reason}") for fault in tree.faults]
    lines += _node(tree.root, comment)
    return "\n".join(lines) + "\n"


def _node(root: TreeNode, comment: Callable[[Property], str | None]) -> Iterator[str]:
    closing = object()
    pending: list[tuple[int, TreeNode | object]] = [(0, root)]
    while pending:
        depth, node = pending.pop()
        indent = _INDENT * depth
        if not isinstance(node, TreeNode):
            yield f"{indent}}};"
            continue
        yield f"{indent}{_node_name(node.name) if depth else '/'} {{"
        for item in node.properties:
            yield f"{indent}{_INDENT}{_property(item, comment(item))}"
        pending.append((depth, closing))
        pending.extend((depth + 1, child) for child in reversed(node.children))


def _property(item: Property, comment: str | None) -> str:
    value = f" = [{item.value.hex(' ')}]" if item.value else ""
    remark = f" {_remark(comment)}" if comment else ""
    return f"{_name(item.name, _NOT_IN_PROPERTY_NAMES)}{value};{remark}"


def _node_name(name: bytes) -> str:
    """The name of a node; only one `@` may stand in it."""
    base, sign, unit = _name(name, _NOT_IN_NODE_NAMES).partition("@")
    return base + sign + unit.replace("@", "_x40")


def _name(name: bytes, refused: re.Pattern[bytes]) -> str:
    """A name with what `dtc` refuses in it written as `_xNN`."""
    legal = refused.sub(lambda found: b"_x%02x" % found[0][0], name)
    return legal.decode("ascii") or "_"


def _remark(text: str) -> str:
    return "/* " + text.replace("*/", "*\\x2f") + " */"
