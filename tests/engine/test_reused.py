import pytest

from kho_console.engine.reused import reused

RUNNING = (
    b'BOOT_IMAGE=/vmlinuz root=/dev/sda1 "a b"="c d" kho=on crashkernel=256M quiet -- kho=x  y\n'
)


@pytest.mark.parametrize(
    ("appended", "crash", "line"),
    [
        (b"", False, b'root=/dev/sda1 "a b"="c d" kho=on crashkernel=256M quiet -- kho=x  y'),
        (b"", True, b'root=/dev/sda1 "a b"="c d" quiet -- kho=x  y'),
    ],
)
def test_what_was_for_this_boot_is_left_out(appended: bytes, crash: bool, line: bytes) -> None:
    assert reused(RUNNING, appended, crash=crash) == line


def test_more_goes_behind_it() -> None:
    assert reused(b"kho=on\n", b" kho=off ") == b"kho=on kho=off"
    assert reused(b"\n", b"x") == b"x"
    assert reused(b"", b"") == b""
