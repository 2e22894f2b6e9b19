"""Numba as commands use it: compiled code is loaded without what compiling needs, and compiling is announced."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from glove_cli.cli.caching import place_of_compiled_code

_ELSEWHERE = "The package's folder and your home can't be written, so it is kept in {}."
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
                place = place_of_compiled_code()
                note(_MESSAGE if place is None else f"{_MESSAGE} {_ELSEWHERE.format(place)}")

        def on_end(self, event: Any) -> None:
            pass

    with _quick_loading(), event.install_listener("numba:compile", _Once()):
        yield


@contextlib.contextmanager
def _quick_loading() -> Iterator[None]:
    """Load compiled code from Numba's cache at once within the block.

    Before it looks into its cache, Numba loads the rules by which it would compile all it knows of Python, NumPy and
    SciPy. Code that was compiled needs none of them but the runtime for arrays, and that takes 0.2 s less, a third of a
    short command. If anything is missing from the cache, Numba loads the rules when it compiles.
    """
    from numba.core.caching import Cache

    usual = Cache.load_overload

    def load_overload(cache: Any, signature: Any, target: Any) -> Any:
        try:
            from numba.core.runtime.nrt import rtsys

            rtsys.initialize(target)
            with cache._guard_against_spurious_io_errors():
                return cache._load_overload(signature, target)
        except Exception:  # another Numba than those we know may do it in another way
            return usual(cache, signature, target)

    Cache.load_overload = load_overload  # type: ignore[method-assign]
    try:
        yield
    finally:
        Cache.load_overload = usual  # type: ignore[method-assign]
