"""How articles travel from producer to consumer, at least once."""
