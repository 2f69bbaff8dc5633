"""Kiosque: who is in the news, how does it speak of them, and which book goes deeper."""

__version__ = "0.1.0"
