"""One way to find names in headlines: `matching.py kiosque|ahocorasick|re|flashtext|spacy`.

`prepare` gets names and headlines and says how many seconds it took to get ready; `rate` goes through the headlines,
round and round, for some seconds of the processor and says how many it did in one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from datetime import date

from protocol import processor, seconds, serve

Find = Callable[[str], object]


def kiosque(names: Sequence[str]) -> Find:
    """Every rule: whole words, case, days of validity, strangers of the same name, ambiguity, exact spans."""
    from kiosque.core.entity import Alias, Entity, EntityKind
    from kiosque.entities.matcher import Matcher

    matcher = Matcher(
        [Entity(f"e{n}", name, EntityKind.PERSON, (Alias(name),)) for n, name in enumerate(names)]
    )
    day = date(2016, 1, 1)
    return lambda text: matcher.match_text(text, "", day)


def ahocorasick(names: Sequence[str]) -> Find:
    """The limit: the automaton alone over lower-case text, without any rule."""
    import ahocorasick as library

    automaton = library.Automaton(library.STORE_INTS)
    for number, name in enumerate(names):
        automaton.add_word(name.lower(), number)
    automaton.make_automaton()
    return lambda text: list(automaton.iter(text.lower()))


def big_re(names: Sequence[str]) -> Find:
    """One alternation of all names, the longest first, as whole words in any case."""
    body = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    pattern = re.compile(rf"\b(?:{body})\b", re.IGNORECASE)
    return lambda text: [found.span() for found in pattern.finditer(text)]


def flashtext(names: Sequence[str]) -> Find:
    from flashtext import KeywordProcessor

    processor = KeywordProcessor(case_sensitive=False)
    processor.add_keywords_from_list(list(names))
    return lambda text: processor.extract_keywords(text, span_info=True)


def spacy(names: Sequence[str]) -> Find:
    """PhraseMatcher on lower-case words; the tokenizer is all of the pipeline."""
    import spacy as library
    from spacy.matcher import PhraseMatcher

    language = library.blank("en")
    matcher = PhraseMatcher(language.vocab, attr="LOWER")
    matcher.add("names", list(map(language.make_doc, names)))
    return lambda text: matcher(language.make_doc(text))


KINDS = {"kiosque": kiosque, "ahocorasick": ahocorasick, "re": big_re, "flashtext": flashtext, "spacy": spacy}


def main() -> None:
    ready: list[Find] = []
    texts: list[str] = []

    def prepare(names: list[str], headlines: list[str]) -> float:
        texts[:] = headlines
        return seconds(lambda: ready.__setitem__(slice(None), [KINDS[sys.argv[1]](names)]))

    def rate(limit: float) -> float:
        (find,), done, started = ready, 0, processor()
        while (taken := processor() - started) < limit or not done:
            find(texts[done % len(texts)])
            done += 1
        return done / taken

    serve({"prepare": prepare, "rate": rate})


if __name__ == "__main__":
    main()
