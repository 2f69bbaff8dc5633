"""A plain FastAPI application around the network: `serve_fastapi.py FOLDER PORT`. One request, one run."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from classifier import Classifier
from fastapi import FastAPI
from pydantic import BaseModel

classifier = Classifier(Path(sys.argv[1]))
app = FastAPI()


class Item(BaseModel):
    text: str
    target: str


class Body(BaseModel):
    items: list[Item]


@app.post("/score")
def score(body: Body) -> dict[str, list[list[float]]]:
    return {"scores": classifier.classify([item.model_dump() for item in body.items])}


uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
