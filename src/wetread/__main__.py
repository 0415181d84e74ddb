"""python -m wetread: the same as the command `wetread`."""

from wetread.cli.main import main

if __name__ == "__main__":
    main()
