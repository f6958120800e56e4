"""Text inside binary formats."""


def c_string(data: bytes) -> bytes:
    """The bytes before the first NUL, all of them where there is none."""
    return data.partition(b"\0")[0]
