"""Runs in the guest: `retrieve.py SESSION TOKEN ...` prints each file's digest, then finishes."""

import fcntl
import hashlib
import json
import os
import struct
import sys

RETRIEVE_SESSION, RETRIEVE_FD, FINISH = 0xBA01, 0xBA41, 0xBA42


def main() -> None:
    """Retrieve them."""
    name, tokens = sys.argv[1], sys.argv[2:]
    device = os.open("/dev/liveupdate", os.O_RDWR)
    session = _asked(device, RETRIEVE_SESSION, struct.pack("<Ii64s", 72, 0, name.encode()))
    digests = {}
    for token in tokens:
        file = _asked(session, RETRIEVE_FD, struct.pack("<IiQ", 16, 0, int(token)))
        with os.fdopen(file, "rb") as content:
            content.seek(0)
            digests[token] = hashlib.sha256(content.read()).hexdigest()
    fcntl.ioctl(session, FINISH, bytearray(struct.pack("<II", 8, 0)))
    print(json.dumps(digests))


def _asked(file: int, number: int, structure: bytes) -> int:
    """The descriptor that an ioctl writes at offset 4."""
    answer = bytearray(structure)
    fcntl.ioctl(file, number, answer)
    return int(struct.unpack_from("<i", answer, 4)[0])


if __name__ == "__main__":
    main()
