"""The words of the house: articles, entities, polarity, books, errors. No I/O, standard library only."""
