"""Any text source, read once: documents, tokens, ids."""
