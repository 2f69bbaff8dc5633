"""From fp32 to int8: a quarter of the size, about twice as fast, the answers nearly the same.

Activations are quantised as they come, with one scale a tensor, weights once, with one scale a column. Four things
keep what that rounds away small; all are constants or a handful of small operations in the graph:

- *Channels.* A few channels of the activations are far larger than the rest. A part of each channel's size is moved
  into the weights ("SmoothQuant", Xiao et al. 2023).
- *Rows.* Before most feed-forward products the first token is more than twice as large as the middle one. Where they
  differ that much each token is divided by its own largest value first, and the product multiplied by it.
- *Rounding.* Weights are rounded one input after the other, each error made up for by the inputs that are still to
  come, as far as they go together in real texts ("GPTQ", Frantar et al. 2023).
- *Eight bits.* Processors without VNNI add the products of two neighbours in 16 bits. It is enough that no two
  neighbours overflow together, so weights need not give up a bit each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from kiosque.core.errors import InvalidInput

ALPHA = 0.8
"""How much of a channel's size is moved into the weights."""
UNEVEN = 0.5
"""Tokens get a scale each where the root mean square of the middle one is below this share of the largest one's, on
average over the texts."""
LARGEST = 127
"""Of an int8, in both directions."""
PAIR = 128
"""Two neighbours of the same sign, times the largest activation (255), must fit into 16 bits: 128 * 255 < 2 ** 15."""
BLOCK = 64
"""Rows of weights whose errors are passed on together, for speed; the result is the same for any."""
DAMPING = 0.01
"""Share of its mean that is added to the diagonal of the products, which could not be inverted without."""
TOGETHER = 32
"""Texts whose products are summed at once, for speed."""
Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Flow:
    """What flows into linear layers over a few hundred texts, as [tokens, channels]."""

    size: Array
    """The largest absolute value of each channel; of its share in its row where rows have scales of their own."""
    products: Array
    """Sums of the products of each two channels, [channels, channels]."""
    by_row: bool
    """Whether rows, which are tokens, get a scale each."""


def quantise(
    source: Path, target: Path, *, tokenizer: Tokenizer, texts: Sequence[str], keep_float: Sequence[str] = ()
) -> Path:
    """Write `source` to `target` with int8 layers, a scale a column, and an int8 embedding table, a scale a row.

    `texts` show what activations are like; a few hundred do. The classifier on top, which runs once a text, stays in
    fp32, and so do layers with a part of `keep_float` in their names. Raises InvalidInput without texts.
    """
    if not texts:
        raise InvalidInput(
            "Quantising takes texts to measure activations on.", hint="Hold some of a set out."
        )
    model = onnx.load(str(source))
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    layers = [n for n in _linear(model) if not any(part in n.name for part in keep_float)]
    quantise_layers(model, layers, measure_flows(model, layers, ids))
    quantise_embeddings(model)
    onnx.save(model, str(target))
    return target


def measure_flows(model: Any, layers: Sequence[Any], ids: Sequence[Sequence[int]]) -> dict[str, Flow]:
    """By name, what flows into `layers`. `ids` are the tokens of texts, which are run one by one."""
    names = sorted({node.input[0] for node in layers})
    if not names:
        return {}
    session = _open(model, names)
    size: dict[str, Any] = dict.fromkeys(names, 0.0)
    share: dict[str, Any] = dict.fromkeys(names, 0.0)
    products: dict[str, Any] = dict.fromkeys(names, 0.0)
    evenness: dict[str, list[float]] = {name: [] for name in names}
    for start in range(0, len(ids), TOGETHER):
        for name, tables in _activations(session, names, ids[start : start + TOGETHER]).items():
            values = np.concatenate(tables)
            means = [np.sqrt(np.square(table).mean(axis=1)) for table in tables]
            evenness[name] += [float(np.median(each) / max(each.max(), 1e-9)) for each in means]
            absolute = np.abs(values)
            size[name] = np.maximum(size[name], absolute.max(axis=0))
            largest = np.maximum(absolute.max(axis=1, keepdims=True), 1e-9)
            share[name] = np.maximum(share[name], (absolute / largest).max(axis=0))
            products[name] = products[name] + values.T @ values
    uneven = {name: float(np.mean(evenness[name])) < UNEVEN for name in names}
    return {n: Flow(share[n] if uneven[n] else size[n], products[n], uneven[n]) for n in names}


def _open(model: Any, names: Sequence[str]) -> ort.InferenceSession:
    """`model` with `names` among its outputs."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    probe.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(probe.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _activations(
    session: ort.InferenceSession, names: Sequence[str], ids: Sequence[Sequence[int]]
) -> dict[str, list[Array]]:
    """By name a table [tokens, channels] for each text of `ids`."""
    tables: dict[str, list[Array]] = {name: [] for name in names}
    for text in ids:
        row = np.array([text], dtype=np.int64)
        values = session.run(names, {"input_ids": row, "attention_mask": np.ones_like(row)})
        for name, value in zip(names, values, strict=True):
            tables[name].append(value.reshape(-1, value.shape[-1]))
    return tables


def quantise_layers(model: Any, layers: Sequence[Any], flows: dict[str, Flow]) -> None:
    """Replace each of `layers` by a product of integers."""
    weights = _weights(model)
    replaced = {node.output[0] for node in layers}
    factors: dict[str, Array] = {}
    nodes = []
    for node in model.graph.node:
        if node.output[0] not in replaced:
            nodes.append(node)
            continue
        name = node.input[0]
        flow = flows[name]
        if name not in factors:
            readers = [weights[n.input[1]] for n in layers if n.input[0] == name]
            factors[name] = _factors(flow.size, readers)
            nodes += _quantise_input(model, name, factors[name], by_row=flow.by_row)
        factor = factors[name]
        products = flow.products / np.outer(factor, factor)
        integers, scale = round_weights(weights[node.input[1]] * factor[:, None], products)
        nodes += _integer_product(model, node, integers, scale, by_row=flow.by_row)
    _replace(model, nodes)


def _factors(size: Array, weights: Sequence[Array]) -> Array:
    """What each channel is divided by, and the weights that read it multiplied with."""
    largest = np.max([np.abs(w).max(axis=1) for w in weights], axis=0)
    factors = np.maximum(size, 1e-5) ** ALPHA / np.maximum(largest, 1e-5) ** (1 - ALPHA)
    result: Array = np.clip(factors, 1e-3, 1e3).astype(np.float32)
    return result


def _quantise_input(model: Any, name: str, factor: Array, *, by_row: bool) -> list[Any]:
    """Nodes that make `<name>_in_int8` of `name`, with `_in_scale`, `_in_zero`, and `_in_row` for scales of rows."""
    own = f"{name}_in"
    _add(model, f"{own}_inverse", 1.0 / factor)
    nodes = [helper.make_node("Mul", [name, f"{own}_inverse"], [f"{own}_smooth"])]
    if by_row:
        _add(model, f"{own}_least", np.array([1e-9], dtype=np.float32))
        nodes += [
            helper.make_node("Abs", [f"{own}_smooth"], [f"{own}_abs"]),
            helper.make_node("ReduceMax", [f"{own}_abs"], [f"{own}_largest"], axes=[-1]),
            helper.make_node("Max", [f"{own}_largest", f"{own}_least"], [f"{own}_row"]),
            helper.make_node("Div", [f"{own}_smooth", f"{own}_row"], [f"{own}_even"]),
        ]
    outputs = [f"{own}_int8", f"{own}_scale", f"{own}_zero"]
    return [*nodes, helper.make_node("DynamicQuantizeLinear", [nodes[-1].output[0]], outputs)]


def _integer_product(model: Any, node: Any, integers: Any, scale: Array, *, by_row: bool) -> list[Any]:
    """Nodes that compute what `node` does, to be read under the same name."""
    name, out = f"{node.input[0]}_in", node.output[0]
    # Named after the output: two layers may share their weights and be measured on different inputs.
    _add(model, f"{out}_weights", integers)
    _add(model, f"{out}_weights_zero", np.zeros(len(scale), dtype=np.int8))
    _add(model, f"{out}_weights_scale", scale)
    inputs = [f"{name}_int8", f"{out}_weights", f"{name}_zero", f"{out}_weights_zero"]
    nodes = [
        helper.make_node("MatMulInteger", inputs, [f"{out}_int32"]),
        helper.make_node("Cast", [f"{out}_int32"], [f"{out}_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}_scale", f"{out}_weights_scale"], [f"{out}_scale"]),
        helper.make_node("Mul", [f"{out}_float", f"{out}_scale"], [f"{out}_even" if by_row else out]),
    ]
    return [*nodes, helper.make_node("Mul", [f"{out}_even", f"{name}_row"], [out])] if by_row else nodes


def round_weights(weights: Array, products: Array) -> tuple[np.ndarray[Any, np.dtype[np.int8]], Array]:
    """int8 weights [inputs, outputs] and the scale of each output; `products` of the inputs are [inputs, inputs].

    Not each weight comes out closest to what it was, but what the layer gives for such inputs.
    """
    scale = _scales(weights)
    inputs = len(weights)
    damped = products + np.eye(inputs) * max(DAMPING * float(np.diag(products).mean()), 1e-9)
    order = np.argsort(-np.diag(damped), kind="stable")
    place = np.argsort(order)
    # Row i says how an error at the i-th input is made up for by the ones after it.
    spread = np.linalg.cholesky(np.linalg.inv(damped[np.ix_(order, order)])).T
    rest = weights[order].astype(np.float64)
    integers = np.zeros_like(rest)
    for start in range(0, inputs, BLOCK):
        end = min(inputs, start + BLOCK)
        errors = np.zeros((end - start, rest.shape[1]))
        for i in range(start, end):
            neighbour = place[order[i] ^ 1] if order[i] ^ 1 < inputs else inputs
            taken = integers[neighbour] if neighbour < i else 0.0
            low = np.maximum(-LARGEST, -PAIR - np.minimum(taken, 0))
            high = np.minimum(LARGEST, PAIR - np.maximum(taken, 0))
            integers[i] = np.clip(np.round(rest[i] / scale), low, high)
            errors[i - start] = (rest[i] - integers[i] * scale) / spread[i, i]
            rest[i + 1 : end] -= np.outer(spread[i, i + 1 : end], errors[i - start])
        rest[end:] -= spread[start:end, end:].T @ errors
    return integers[place].astype(np.int8), scale


def _scales(weights: Array) -> Array:
    """For each column the smallest scale at which no weight and no two neighbours are too large."""
    even, odd = weights[0::2], np.zeros_like(weights[0::2])
    odd[: len(weights) // 2] = weights[1::2]
    pairs = [np.maximum(sign * even, 0) + np.maximum(sign * odd, 0) for sign in (1, -1)]
    largest = np.maximum(np.abs(weights).max(axis=0) / LARGEST, np.max(pairs, axis=(0, 1)) / PAIR)
    result: Array = np.maximum(largest, 1e-9).astype(np.float32)
    return result


def quantise_embeddings(model: Any) -> None:
    """Large lookup tables as int8 with one scale a row: rows differ in size far more than weights do."""
    weights = _weights(model)
    nodes = []
    for node in model.graph.node:
        table = weights.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or len(table) < 1000:
            nodes.append(node)
            continue
        scale = np.maximum(np.abs(table).max(axis=1, keepdims=True) / LARGEST, 1e-9).astype(np.float32)
        out, ids = node.output[0], node.input[1]
        _add(model, f"{out}_table", np.round(table / scale).astype(np.int8))
        _add(model, f"{out}_scale", scale)
        nodes += [
            helper.make_node("Gather", [f"{out}_table", ids], [f"{out}_int8"]),
            helper.make_node("Cast", [f"{out}_int8"], [f"{out}_float"], to=TensorProto.FLOAT),
            helper.make_node("Gather", [f"{out}_scale", ids], [f"{out}_row_scale"]),
            helper.make_node("Mul", [f"{out}_float", f"{out}_row_scale"], [out]),
        ]
    _replace(model, nodes)


def _linear(model: Any) -> list[Any]:
    """Products with constant weights, apart from `Gemm`, which is what the classifier on top is exported as."""
    weights = _weights(model)
    return [n for n in model.graph.node if n.op_type == "MatMul" and n.input[1] in weights]


def _weights(model: Any) -> dict[str, Array]:
    """Two-dimensional constants by name."""
    return {i.name: numpy_helper.to_array(i) for i in model.graph.initializer if len(i.dims) == 2}


def _add(model: Any, name: str, value: Any) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(value), name))


def _replace(model: Any, nodes: Sequence[Any]) -> None:
    """Set the graph's nodes and drop the constants that none of them reads."""
    kept = [*nodes]
    used = {name for node in kept for name in node.input}
    constants = [i for i in model.graph.initializer if i.name in used]
    del model.graph.node[:]
    del model.graph.initializer[:]
    model.graph.node.extend(kept)
    model.graph.initializer.extend(constants)
