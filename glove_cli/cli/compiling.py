"""Say that Numba compiles, when it really does: it takes some seconds, once after an install."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

_BLAS = "scipy.linalg.cython_blas"
_MESSAGE = "Compiling for this machine: some seconds, once after an install."


def _load_numba() -> None:
    """Load Numba without SciPy's linear algebra, which it would import to see whether `np.dot` can be compiled.

    No kernel of ours asks for that, and it takes 0.2 s, half of what the first kernel takes to be there.
    """
    if "numba.np.arraymath" in sys.modules or _BLAS in sys.modules:
        return
    sys.modules[_BLAS] = None  # type: ignore[assignment]
    try:
        import_module("numba.np.arraymath")
    finally:
        del sys.modules[_BLAS]


@contextlib.contextmanager
def announced(note: Callable[[str], None]) -> Iterator[None]:
    """Call `note` with a message, once, if anything is compiled within the block; code from the cache is not."""
    _load_numba()
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
