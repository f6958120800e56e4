"""A pytest plugin: one line at the end says which kernels and scenes ran, and what was skipped.

Nothing that ran is a failure: a rig without kernels must not look green.
"""

import os
from collections import Counter, defaultdict
from pathlib import Path

import pytest

TARGET = "KHO_VM_SUMMARY"
"""Environment variable: a file that gets the line too."""

_counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
_reasons: Counter[str] = Counter()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if not _is_scene(report) or (report.when != "call" and report.outcome == "passed"):
        return
    _, _, rest = report.nodeid.partition("[")
    kernel = rest.partition("]")[0] or "no kernel"
    outcome = "broken" if report.failed and report.when != "call" else str(report.outcome)
    _counts[kernel][outcome] += 1
    if report.skipped:
        _reasons[_reason(report)] += 1


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if not ran(_counts) and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    text = line(_counts, _reasons)
    print(text, flush=True)
    if os.environ.get(TARGET):
        Path(os.environ[TARGET]).write_text(f"{text}\n")


def ran(counts: dict[str, Counter[str]]) -> int:
    """How many scenes were run to an end, good or bad."""
    return sum(
        number for each in counts.values() for what, number in each.items() if what != "skipped"
    )


def line(counts: dict[str, Counter[str]], reasons: Counter[str]) -> str:
    """Kernels with their scenes, then what was skipped and why."""
    parts = [
        f"{kernel}: " + ", ".join(f"{number} {what}" for what, number in sorted(each.items()))
        for kernel, each in sorted(counts.items())
        if set(each) != {"skipped"}
    ]
    skipped = [f"{number} skipped ({reason})" for reason, number in sorted(reasons.items())]
    verdict = "; ".join(parts) or "nothing ran"
    return "real kernels: " + "; ".join([verdict, *skipped])


def _is_scene(report: pytest.TestReport) -> bool:
    return "vm/scenes/" in report.nodeid


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr
    text = str(told[2]) if isinstance(told, tuple) else str(told)
    return text.removeprefix("Skipped: ")
