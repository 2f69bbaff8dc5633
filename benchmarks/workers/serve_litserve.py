"""LitServe around the network: `serve_litserve.py FOLDER PORT`. Requests that arrive within 5 ms are run together."""

# annotations are read when the routes are made: not to be put off by __future__
import sys
from pathlib import Path
from typing import Any

import litserve

FOLDER = Path(sys.argv[1])
Items = list[dict[str, str]]


class Api(litserve.LitAPI):
    def setup(self, device: str) -> None:
        from classifier import Classifier

        self.classifier = Classifier(FOLDER)

    def decode_request(self, request: dict[str, Items]) -> Items:
        return request["items"]

    def batch(self, inputs: list[Items]) -> list[Items]:
        return inputs

    def predict(self, batch: list[Items]) -> list[list[list[float]]]:
        scores = iter(self.classifier.classify([item for items in batch for item in items]))
        return [[next(scores) for _ in items] for items in batch]

    def unbatch(self, output: Any) -> Any:
        return output

    def encode_response(self, output: list[list[float]]) -> dict[str, list[list[float]]]:
        return {"scores": output}


if __name__ == "__main__":
    api = Api(max_batch_size=32, batch_timeout=0.005, api_path="/score")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(port=int(sys.argv[2]), num_api_servers=1, log_level="warning", generate_client_file=False)
