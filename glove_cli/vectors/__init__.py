"""Words to rows: neighbours, analogies, and one file for each exchange format."""
