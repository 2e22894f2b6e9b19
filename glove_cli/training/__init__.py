"""Co-occurrence counts to a model: the objective, tiles of entries, rounds of tiles, AdaGrad."""
