"""Counting and training on several machines, by Dask: the same bytes as on one."""
