"""Work in a child process that dies at a given moment.

A moment is a call by which a file or folder is made, renamed, removed or seen to the disk; what the process would have
done afterwards, tidying up included, is not done.
"""

from __future__ import annotations

import os
from typing import Any

MOMENTS = ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir")


def in_child(work: Any) -> int:
    """Do some work in a child process; return its number."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def killed_at(moment: int, work: Any) -> bool:
    """Do the work in a child that dies at a moment; tell whether it died before the end."""

    def until_then() -> None:
        left = moment

        def dying(call: Any) -> Any:
            def wrapper(*arguments: Any, **options: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    os._exit(9)
                return call(*arguments, **options)

            return wrapper

        for name in MOMENTS:
            setattr(os, name, dying(getattr(os, name)))
        work()

    _, status = os.waitpid(in_child(until_then), 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 9), code
    return code == 9
