"""What a folder of tiles is called; apart, so that it can be looked at without compiled code."""

from __future__ import annotations

FORMAT = "glove-tiles"
VERSION = 1  # also of the order in which entries stand
TILES_NAME = "tiles"
