"""The program: command line, settings' file, output."""

__version__ = "0.1.0"
