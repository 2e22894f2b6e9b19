"""Ctrl-C and other requests to end, kept until the training is at rest."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_PATIENCE = 5.0  # seconds after which another request isn't kept


class Interrupts:
    """Keeps signals that would raise an exception while a `with` block runs, until `deliver` is called.

    Only in the main thread, which is the one that gets them. A signal that comes some seconds after the first is not
    kept: whoever asks again doesn't want to wait.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._kept: tuple[int, FrameType | None] | None = None
        self._since = 0.0

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for name in _SIGNALS:
                number = getattr(signal, name, None)
                if number is not None and callable(signal.getsignal(number)):
                    self._before[number] = signal.signal(number, self._keep)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()
        if kind is None:
            self.deliver()

    def deliver(self) -> None:
        """Do what the signal that was kept, if any, would have done."""
        if self._kept is not None:
            (number, frame), self._kept = self._kept, None
            handler: Any = self._before[number]
            self._restore()
            handler(number, frame)

    def _keep(self, number: int, frame: FrameType | None) -> None:
        if self._kept is None:
            self._kept, self._since = (number, frame), time.monotonic()
        elif time.monotonic() - self._since > _PATIENCE:
            self.deliver()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
