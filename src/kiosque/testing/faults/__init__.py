"""Kiosque's split form under faults: real servers and processes, broken by seed, and an oracle that counts."""
