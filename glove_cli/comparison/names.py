"""Defaults, apart, so that the command line knows them without importing what computes."""

from __future__ import annotations

MIN_COUNT = 100  # rarer words change by chance, whatever they mean
NEIGHBOURS = 50
LIMIT = 20
BEYOND_CHANCE = 0.01
