"""`python -m glove_cli` is `glove`."""

from glove_cli.cli.main import main

if __name__ == "__main__":
    main(prog_name="glove")
