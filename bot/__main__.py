"""`python -m bot` is `regwatch`."""

from bot.cli import main

if __name__ == "__main__":  # a parser's child process imports this module too
    main()
