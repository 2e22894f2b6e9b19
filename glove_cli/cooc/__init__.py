"""Token ids to co-occurrence counts: count, merge, store."""
