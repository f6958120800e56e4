"""The initial RAM disk of the guest: a static busybox and a short init."""

import gzip
import shutil
from pathlib import Path

SHARE = "/run/share"
"""Where the guest finds the folder it shares with the host."""

INIT = f"""#!/busybox sh
/busybox mkdir -p /proc /sys /dev /host /over /new
/busybox mount -t proc proc /proc
/busybox mount -t sysfs sysfs /sys
/busybox mount -t devtmpfs dev /dev
/busybox mount -t 9p -o trans=virtio,ro,msize=262144,cache=loose host /host
/busybox mount -t tmpfs over /over
/busybox mkdir /over/upper /over/work
/busybox mount -t overlay overlay -o lowerdir=/host,upperdir=/over/upper,workdir=/over/work /new
/busybox mount --move /proc /new/proc
/busybox mount --move /sys /new/sys
/busybox mount --move /dev /new/dev
/busybox mkdir -p /new/dev/pts
/busybox mount -t devpts devpts /new/dev/pts
/busybox mount -t debugfs debugfs /new/sys/kernel/debug
/busybox mount -t securityfs securityfs /new/sys/kernel/security
/busybox mount -t tmpfs run /new/run
/busybox mkdir -p /new{SHARE}
/busybox mount -t 9p -o trans=virtio,msize=262144 share /new{SHARE}
exec /busybox chroot /new /bin/sh {SHARE}/start
"""

REGULAR, DIRECTORY = 0o100755, 0o040755


def busybox() -> str | None:
    """A statically linked busybox, as Debian's `busybox-static` gives."""
    found = shutil.which("busybox", path="/usr/bin:/bin:/usr/local/bin")
    if found is None or b"/ld-linux" in Path(found).read_bytes():
        return None
    return found


def write(target: Path) -> None:
    """Write the initial RAM disk: a gzipped cpio archive of the `newc` kind."""
    program = busybox()
    if program is None:
        raise FileNotFoundError("busybox (Debian: busybox-static)")
    archive = b"".join(
        (
            _entry("busybox", REGULAR, Path(program).read_bytes(), 1),
            _entry("init", REGULAR, INIT.encode(), 2),
            _entry("dev", DIRECTORY, b"", 3),
            _entry("TRAILER!!!", 0, b"", 0),
        )
    )
    target.write_bytes(gzip.compress(archive, 6, mtime=0))


def _entry(name: str, mode: int, data: bytes, inode: int) -> bytes:
    """One file (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    numbers = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % number for number in numbers) + name.encode() + b"\0"
    return _padded(head) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
