"""Runs in the guest: holds live-update sessions with memfds until it is ended.

The argument is JSON: {session: {token: bytes}}. When all is held, `/run/held.json` names each
memfd's digest and the page frames it lies in, as /proc/self/pagemap tells them.
"""

import fcntl
import hashlib
import json
import mmap
import os
import signal
import struct
import sys

CREATE_SESSION, PRESERVE_FD = 0xBA00, 0xBA40
PAGE = 4096
PRESENT, FRAME = 1 << 63, (1 << 55) - 1


def main() -> None:
    """Hold what is asked for."""
    device = os.open("/dev/liveupdate", os.O_RDWR)
    held: dict[str, dict[str, object]] = {}
    for name, files in json.loads(sys.argv[1]).items():
        asked = bytearray(struct.pack("<Ii64s", 72, 0, name.encode()))
        fcntl.ioctl(device, CREATE_SESSION, asked)
        session = struct.unpack_from("<i", asked, 4)[0]
        held[name] = {}
        for token, size in files.items():
            content = _content(f"{name} {token}", size)
            memory = os.memfd_create(name)
            os.write(memory, content)
            fcntl.ioctl(
                session, PRESERVE_FD, bytearray(struct.pack("<IiQ", 16, memory, int(token)))
            )
            digest = hashlib.sha256(content).hexdigest()
            held[name][token] = {"digest": digest, "frames": _frames(memory, size)}
    with open("/run/held.json.partly", "w") as told:  # noqa: PTH123
        json.dump(held, told)
    os.rename("/run/held.json.partly", "/run/held.json")  # noqa: PTH104
    signal.pause()


def _content(seed: str, size: int) -> bytes:
    """Bytes in which no page is like another."""
    pages = (
        hashlib.sha256(f"{seed} {page}".encode()).digest() * (PAGE // 32)
        for page in range(-(-size // PAGE))
    )
    return b"".join(pages)[:size]


def _frames(memory: int, size: int) -> list[int]:
    """Physical addresses of a memfd's pages; they are pinned by now."""
    with mmap.mmap(memory, size) as mapped:
        for offset in range(0, size, PAGE):
            mapped[offset]
        address = _address(size)
        with open("/proc/self/pagemap", "rb", buffering=0) as pagemap:  # noqa: PTH123
            pagemap.seek(address // PAGE * 8)
            data = pagemap.read(-(-size // PAGE) * 8)
    entries = struct.unpack(f"<{len(data) // 8}Q", data)
    assert all(entry & PRESENT for entry in entries)
    return [(entry & FRAME) * PAGE for entry in entries]


def _address(size: int) -> int:
    """Where the only mapping of a memfd is."""
    with open("/proc/self/maps") as maps:  # noqa: PTH123
        line = next(line for line in maps if "/memfd:" in line)
    start, end = (int(part, 16) for part in line.split()[0].split("-"))
    assert end - start >= size
    return start


if __name__ == "__main__":
    main()
