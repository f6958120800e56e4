"""Which file was read, so that it can be known again."""

from kho_console.model.value import dataclass


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """A file at the moment when it was opened.

    Attributes:
        device: The file system it lies on (`st_dev`).
        inode: Its number there (`st_ino`).
        size: Bytes.
        modified: When it was last written to, nanoseconds since the epoch (`st_mtime`).
    """

    device: int
    inode: int
    size: int
    modified: int

    def changed(self, now: "FileIdentity") -> str | None:
        """What is different now, in words; None where it is the same file, not written to."""
        if (self.device, self.inode) != (now.device, now.inode):
            return "another file is in its place"
        if self.size != now.size:
            return f"it has {now.size} bytes, and had {self.size}"
        if self.modified != now.modified:
            return "it was written to"
        return None
