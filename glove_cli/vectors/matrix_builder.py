"""A matrix of which rows come block by block, in an unknown number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_PART_BYTES = 64 << 20


class MatrixBuilder:
    """Collects rows in few large parts, so that memory never holds the whole twice.

    Parameters
    ----------
    dim : int
        Numbers in a row.
    rows : int
        How many rows are expected. Memory is taken as they come; more than these need a copy at the end.
    """

    def __init__(self, dim: int, rows: int = 0) -> None:
        self._dim = dim
        self._step = max(1, _PART_BYTES // (4 * dim))
        # Memory that is never written to is never taken. Large parts go back to the system as soon as they are freed.
        self._parts = [np.empty((max(rows, self._step), dim), np.float32)]
        self._used = 0  # rows of the last part

    def append(self, block: NDArray[np.float32]) -> None:
        """Append rows."""
        while len(block):
            part = self._parts[-1]
            if self._used == len(part):
                part = np.empty((self._step, self._dim), np.float32)
                self._parts.append(part)
                self._used = 0
            taken = min(len(block), len(part) - self._used)
            part[self._used : self._used + taken] = block[:taken]
            self._used += taken
            block = block[taken:]

    def finish(self) -> NDArray[np.float32]:
        """Return all rows; nothing can be appended afterwards."""
        self._parts[-1] = self._parts[-1][: self._used]
        if len(self._parts) == 1:
            return self._parts.pop()
        matrix = np.empty((sum(map(len, self._parts)), self._dim), np.float32)
        row = 0
        self._parts.reverse()
        while self._parts:
            part = self._parts.pop()
            matrix[row : row + len(part)] = part
            row += len(part)
        return matrix
