"""The simpler methods that GloVe is meant to improve on: singular vectors of the matrix, or of a function of it."""
