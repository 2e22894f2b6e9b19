"""How far the work is, on standard error: a bar with the time left on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from glove_cli.cli.tables import amount, duration
from glove_cli.cli.terminal import say

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_TO_KNOW = 1.0  # before that, nothing is known of the time left


class Progress:
    """Shows stages of work; pass it as `progress` to the library, inside a `with` block."""

    def __init__(self) -> None:
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._bar: Any = None
        self._stage = ""
        self._began = self._last = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, stage: str, done: int, total: int | None, unit: str) -> None:
        """Take in that `done` of `total` units (None when unknown) of a stage are done."""
        if stage != self._stage:
            self.close()
            self._stage, self._began = stage, time.monotonic()
            if self._terminal:
                from tqdm import tqdm

                tqdm.monitor_interval = 0
                self._bar = tqdm(desc=stage, total=total, unit=unit, unit_scale=True, leave=False, file=sys.stderr)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        elif not self._terminal and time.monotonic() - self._last >= _SECONDS_BETWEEN_LINES:
            self.note(self._line(done, total, unit))

    def note(self, text: str) -> None:
        """Print a line, above the bar if there is one."""
        self._last = time.monotonic()
        if self._bar is not None:
            self._bar.clear()
        say(text)
        if self._bar is not None:
            self._bar.refresh()

    def close(self) -> None:
        """Take the bar away, before something else is printed."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        self._stage = ""

    def _line(self, done: int, total: int | None, unit: str) -> str:
        if not total:
            return f"{self._stage}: {amount(done, unit)}"
        seconds = time.monotonic() - self._began
        left = seconds / done * (total - done) if done and seconds >= _SECONDS_TO_KNOW else None
        end = f", {duration(left)} left" if left is not None else ""
        return f"{self._stage}: {amount(done, unit)} of {amount(total, unit)} ({done / total:.0%}){end}"
