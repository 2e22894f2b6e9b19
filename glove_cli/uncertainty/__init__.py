"""How uncertain word vectors are, and what follows for their cosines (GloVe-V, Vallebueno and others 2024)."""
