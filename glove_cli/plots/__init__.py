"""Pictures of results, drawn by matplotlib, which is an extra: `pip install 'glove-cli[plot]'`."""
