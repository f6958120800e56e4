"""Files of one format, with no machine around them: what `decode` reads and `encode` writes."""

from kho_console.abi.error import FormatError
from kho_console.source.regular_file import RegularFile as file  # noqa: N813 - it opens one

__all__ = ["FormatError", "file"]
