"""`python -m kiosque` is `kiosque`."""

from kiosque.cli import main

if __name__ == "__main__":
    main()
