"""Comparing two corpora by their word vectors: which words are used in another way."""
