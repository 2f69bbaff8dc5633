"""BentoML around the network: `python -m bentoml serve serve_bentoml:Scorer`, the folder in BENCH_MODEL. Its batching
adapts the number of requests that are run together, at most 32 texts."""

# annotations are read when the routes are made: not to be put off by __future__
import os
from pathlib import Path

import bentoml


@bentoml.service(workers=1, traffic={"timeout": 120})
class Scorer:
    def __init__(self) -> None:
        from classifier import Classifier

        self.classifier = Classifier(Path(os.environ["BENCH_MODEL"]))

    @bentoml.api(route="/score", batchable=True, max_batch_size=32, max_latency_ms=60_000)
    def score(self, items: list[dict[str, str]]) -> list[list[float]]:
        return self.classifier.classify(items)
