"""Rounding to int8: how far the answers move, and that no sum overflows on any processor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra polarity-train")

import onnxruntime as ort  # noqa: E402
from onnx import helper, numpy_helper  # noqa: E402

from kiosque.polarity.train.quantise import Flow, measure_flows, quantise_layers, round_weights  # noqa: E402
from kiosque.testing.emulation import needs_emulator, run_without_vnni  # noqa: E402

pytestmark = pytest.mark.train


def linear_network(weights: np.ndarray[Any, Any]) -> Any:
    """`x @ weights`, reading x as what `input_ids` looks up in a table: as encoders do, in short."""
    rng = np.random.default_rng(3)
    table = rng.normal(0, 1, (50, len(weights))).astype(np.float32)
    # The first token is far larger than the others, as in the feed-forward layers of encoders.
    table[0] *= 20
    constants = [numpy_helper.from_array(table, "table"), numpy_helper.from_array(weights, "weights")]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["x"]),
        helper.make_node("MatMul", ["x", "weights"], ["logits"], name="layer"),
    ]
    inputs = [
        helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "linear", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answers(model: Any, ids: list[int]) -> np.ndarray[Any, Any]:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    row = np.array([ids])
    result: np.ndarray[Any, Any] = session.run(None, {"input_ids": row, "attention_mask": row})[0][0]
    return result


def test_a_large_first_token_does_not_round_away_the_others() -> None:
    model = linear_network(np.random.default_rng(4).normal(0, 1, (64, 8)).astype(np.float32))
    texts = [[0, *range(1 + i, 9 + i)] for i in range(40)]
    layers = [n for n in model.graph.node if n.name == "layer"]
    flows = measure_flows(model, layers, texts)
    assert flows["x"].by_row

    def error(flow: Flow) -> float:
        rounded = onnx.ModelProto()
        rounded.CopyFrom(model)
        quantise_layers(rounded, [n for n in rounded.graph.node if n.name == "layer"], {"x": flow})
        return float(np.abs(answers(rounded, texts[0]) - answers(model, texts[0]))[1:].max())

    assert error(flows["x"]) < error(replace(flows["x"], by_row=False)) / 3


def test_layers_in_a_row_and_shared_weights_are_quantised() -> None:
    weights = np.random.default_rng(7).normal(0, 0.3, (16, 16)).astype(np.float32)
    model = linear_network(weights)
    again = helper.make_node("MatMul", ["logits", "weights"], ["second"], name="layer again")
    model.graph.node.append(again)
    model.graph.output[0].name = "second"
    texts = [[1 + i, 9 + i, 17 + i] for i in range(30)]
    layers = list(model.graph.node)[1:]
    rounded = onnx.ModelProto()
    rounded.CopyFrom(model)
    quantise_layers(rounded, list(rounded.graph.node)[1:], measure_flows(model, layers, texts))
    assert [n.op_type for n in rounded.graph.node].count("MatMulInteger") == 2
    expected = answers(model, texts[0])
    assert np.abs(answers(rounded, texts[0]) - expected).max() < 0.05 * np.abs(expected).max()


def test_rounding_keeps_what_the_layer_gives_for_such_inputs() -> None:
    rng = np.random.default_rng(5)
    # More inputs than are rounded together.
    inputs = rng.normal(0, 1, (900, 12)) @ rng.normal(0, 1, (12, 150)) + rng.normal(0, 0.05, (900, 150))
    weights = rng.normal(0, 1, (150, 10)).astype(np.float32)
    integers, scale = round_weights(weights, inputs.T @ inputs)
    nearest = np.round(weights / scale)
    error, plain = (np.abs(inputs @ (each * scale - weights)).mean() for each in (integers, nearest))
    assert error < plain / 3
    assert np.abs(integers * scale - weights).max() < 0.3


def test_rounding_does_not_depend_on_how_many_inputs_are_taken_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(8)
    inputs = rng.normal(0, 1, (400, 70)) @ rng.normal(0, 1, (70, 70))
    weights = rng.normal(0, 1, (70, 5)).astype(np.float32)
    together, _ = round_weights(weights, inputs.T @ inputs)
    monkeypatch.setattr("kiosque.polarity.train.quantise.BLOCK", 7)
    assert np.array_equal(round_weights(weights, inputs.T @ inputs)[0], together)


def overflowing_weights() -> np.ndarray[Any, Any]:
    """int8 weights of a layer many of whose neighbours are large and of one sign, rounded in no order."""
    rng = np.random.default_rng(6)
    weights = np.abs(rng.normal(0, 1, (65, 16))).astype(np.float32) * rng.choice([1, 1, 1, -1], (65, 1))
    inputs = rng.normal(0, 1, (300, 65)) * rng.uniform(0.1, 3, 65)
    return round_weights((weights * np.array([1, -1] * 8)).astype(np.float32), inputs.T @ inputs)[0]


def test_no_two_neighbours_overflow_sixteen_bits() -> None:
    weights = overflowing_weights().astype(int)
    assert np.abs(weights).max() <= 127
    for sign in (1, -1):
        of_one_sign = np.maximum(sign * weights, 0)
        assert (of_one_sign[0:64:2] + of_one_sign[1:64:2]).max() * 255 < 2**15
    # They do use their eighth bit.
    assert np.abs(weights).max() > 64


LARGEST_SUMS = """
import sys, numpy as np, onnxruntime as ort
session = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
weights = np.load(sys.argv[2])
activations = np.full((5, len(weights)), 255, dtype=np.uint8)
print(int((session.run(None, {"x": activations})[0] != activations.astype(int) @ weights.astype(int)).sum()))
"""


@needs_emulator
def test_the_largest_sums_come_out_right_without_vnni(tmp_path: Path) -> None:
    def wrong(weights: np.ndarray[Any, Any]) -> int:
        constants = [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array(0, dtype=np.uint8), "zero"),
        ]
        inputs = [helper.make_tensor_value_info("x", onnx.TensorProto.UINT8, ["rows", len(weights)])]
        outputs = [helper.make_tensor_value_info("y", onnx.TensorProto.INT32, None)]
        node = helper.make_node("MatMulInteger", ["x", "weights", "zero"], ["y"])
        graph = helper.make_graph([node], "sums", inputs, outputs, constants)
        onnx.save(
            helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
            str(tmp_path / "sums.onnx"),
        )
        np.save(tmp_path / "weights.npy", weights)
        files = [str(tmp_path / "sums.onnx"), str(tmp_path / "weights.npy")]
        return int(run_without_vnni(LARGEST_SUMS, *files))

    assert wrong(overflowing_weights()) == 0
    # The emulated processor is one that has the trouble.
    assert wrong(np.full((65, 16), 127, dtype=np.int8)) > 0
