from collections import Counter

from tests.vm.summary import line, ran


def test_names_kernels_scenes_and_the_reason_of_a_skip() -> None:
    counts = {"7.3.4": Counter(passed=5, failed=1), "6.18": Counter(skipped=3)}
    reasons = Counter({"no kernel 6.18: not built": 3})
    assert line(counts, reasons) == (
        "real kernels: 7.3.4: 1 failed, 5 passed; 3 skipped (no kernel 6.18: not built)"
    )
    assert ran(counts) == 6


def test_only_skips_are_nothing() -> None:
    counts = {"6.18": Counter(skipped=3)}
    assert ran(counts) == 0
    assert line(counts, Counter(why=3)) == "real kernels: nothing ran; 3 skipped (why)"
