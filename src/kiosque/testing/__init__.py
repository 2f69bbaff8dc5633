"""Fakes and contract-test classes that Kiosque ships, for its own tests and for those who extend it."""
