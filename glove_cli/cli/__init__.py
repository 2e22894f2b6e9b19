"""The command line: options become one library call, its result what the user sees. One file for each command."""
