"""From a source's news to scored articles in the store."""
