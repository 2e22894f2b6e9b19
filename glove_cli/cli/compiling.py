"""Say that Numba compiles, when it really does: it takes some seconds, once after an install."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

_MESSAGE = "Compiling for this machine: some seconds, once after an install."


@contextlib.contextmanager
def announced(note: Callable[[str], None]) -> Iterator[None]:
    """Call `note` with a message, once, if anything is compiled within the block; code from the cache is not."""
    from numba.core import event

    class _Once(event.Listener):
        said = False

        def on_start(self, event: Any) -> None:
            if not self.said:
                self.said = True
                note(_MESSAGE)

        def on_end(self, event: Any) -> None:
            pass

    with event.install_listener("numba:compile", _Once()):
        yield
