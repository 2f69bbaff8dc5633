"""The whole way from labelled lines to a version, with a network so small that it takes seconds."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the extra polarity-train")
pytest.importorskip("transformers", reason="needs the extra polarity-train")
pytest.importorskip("onnx", reason="needs the extra polarity-train")

import numpy as np  # noqa: E402
import onnx  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors  # noqa: E402

from kiosque.core.errors import InvalidInput  # noqa: E402
from kiosque.core.polarity import Polarity, ScoringRequest, Target  # noqa: E402
from kiosque.polarity.metrics import macro_f1  # noqa: E402
from kiosque.polarity.model import FORMAT, load  # noqa: E402
from kiosque.polarity.prepare import PLACEHOLDER  # noqa: E402
from kiosque.polarity.scorer import Scorer  # noqa: E402
from kiosque.polarity.train.data import Mixer, Sample, load_sets, make_samples  # noqa: E402
from kiosque.polarity.train.encoder import TargetClassifier, build_classifier  # noqa: E402
from kiosque.polarity.train.export import export_float  # noqa: E402
from kiosque.polarity.train.loop import Progress, Trainer, make_batches, predict, schedule  # noqa: E402
from kiosque.polarity.train.members import mean_weights  # noqa: E402
from kiosque.polarity.train.quantise import quantise  # noqa: E402
from kiosque.polarity.train.recipe import Recipe, recipe_from  # noqa: E402
from kiosque.polarity.train.run import run  # noqa: E402

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

NAMES = ["okafor", "lindqvist", "brannigan", "marchetti", "halloran", "quarles"]
VERBS = {"praises": "positive", "blames": "negative", "meets": "neutral"}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT with one layer, random weights, and the words of the corpus below."""
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder")
    words = [
        *NAMES,
        *VERBS,
        "board",
        "on",
        "day",
        "and",
        "the",
        "rival",
        "of",
        *map(str, range(10)),
        "##s",
        "##0",
        "##1",
    ]
    pieces = [
        "[PAD]",
        "[unused0]",
        "[unused1]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *words,
        *"abcdefghijklmnopqrstuvwxyz",
    ]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    special = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=special)
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two targets a line: the one after the verb is meant, the other is neutral."""
    folder = tmp_path_factory.mktemp("data")
    rng = random.Random(1)
    lines = []
    for i in range(240):
        verb = list(VERBS)[i % 3]
        subject, target = rng.sample(NAMES, 2)
        mentions = [{"target": target, "polarity": VERBS[verb]}, {"target": subject, "polarity": "neutral"}]
        lines.append(json.dumps({"text": f"{subject} {verb} {target} on day {i // 3}", "mentions": mentions}))
    (folder / "train.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "test.jsonl").write_text(
        "\n".join(lines[:20]).replace(" on day", " and the board on day"), encoding="utf-8"
    )
    return folder


@pytest.fixture
def recipe(encoder: Path) -> Recipe:
    return recipe_from(
        {
            "name": "tiny",
            "encoder": str(encoder),
            "epochs": 4,
            "batch": 8,
            "encoder_rate": 3e-3,
            "head_rate": 3e-3,
            "average": 0.9,
            "bfloat16": False,
            "patience": 99,
            "freeze_embeddings": False,
            "sets": [{"name": "s", "path": "{data}/train.jsonl", "heldout": 0.2, "licence": "ours"}],
            "tests": [{"name": "t", "path": "{data}/test.jsonl"}],
        }
    )


def write_recipe(recipe: Recipe, folder: Path) -> Path:
    lines = [
        f"{key} = {json.dumps(value)}"
        for key, value in recipe.to_dict().items()
        if key not in ("sets", "tests", "keep_float", "notes", "finish") and value != ()
    ]
    for key, specs in (("sets", recipe.sets), ("tests", recipe.tests)):
        for spec in specs:
            lines += [
                f"[[{key}]]",
                f'name = "{spec.name}"',
                f'path = "{spec.path}"',
                f"heldout = {spec.heldout}",
                f"overlap = {json.dumps(spec.overlap)}",
            ]
    path = folder / "tiny.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def make_trainer(recipe: Recipe, corpus: Path, out: Path) -> tuple[Trainer, Mixer, list[Sample]]:
    sets = load_sets(recipe.sets, data=corpus)
    model, tokenizer = build_classifier(
        recipe.encoder, seed=recipe.seed, freeze_embeddings=recipe.freeze_embeddings
    )
    return (
        Trainer(recipe, model, tokenizer, out),
        Mixer(sets, swap_others=0, seed=1),
        make_samples(sets[0].heldout),
    )


def test_one_call_leads_from_lines_to_a_version_that_works(
    recipe: Recipe, corpus: Path, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    built = run(
        write_recipe(recipe, tmp_path), tmp_path / "out", data=corpus, progress=seen.append, threads=1
    )
    assert built.reports["t"].macro_f1 > 0.9
    assert built.reports["t"].name_swap_flips in (0, None)
    assert built.fields["format"] == FORMAT
    assert len(built.fields["data"]["s"]["sha256"]) == 64
    assert {"training", "heldout", "licence"} <= set(built.fields["data"]["s"])
    json.dumps(built.fields)
    assert "| t |" in (built.folder / "card.md").read_text(encoding="utf-8")
    assert seen[-1].heldout_macro_f1 is not None
    model = load(built.folder)
    model.check()
    request = ScoringRequest(
        "okafor blames brannigan on day 3", targets=(Target("b", "brannigan"), Target("o", "okafor"))
    )
    assert [s.polarity for s in model.score([request])[0]] == [Polarity.NEGATIVE, Polarity.NEUTRAL]
    assert {f.name for f in built.folder.iterdir()} == {
        "model.onnx",
        "tokenizer.json",
        "polarity.json",
        "canary.json",
        "drift.json",
        "card.md",
    }


def test_a_run_that_was_cut_off_goes_on_to_the_same_end(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    straight, mixer, heldout = make_trainer(recipe, corpus, tmp_path / "a")
    straight.fit(mixer, heldout)

    class Cut(Exception):
        pass

    def cut(progress: Progress) -> None:
        if progress.epoch == 2:
            raise Cut

    broken, mixer, heldout = make_trainer(recipe, corpus, tmp_path / "b")
    with pytest.raises(Cut):
        broken.fit(mixer, heldout, cut)
    resumed, mixer, heldout = make_trainer(recipe, corpus, tmp_path / "b")
    assert resumed.resume()
    state = resumed.fit(mixer, heldout)
    assert state.history == straight.state.history
    for (name, a), (_, b) in zip(
        straight.model.named_parameters(), resumed.model.named_parameters(), strict=True
    ):
        assert torch.equal(a, b), name


def test_members_differ_in_order_and_their_mean_is_kept(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    path, out = write_recipe(replace(recipe, members=(1, 2)), tmp_path), tmp_path / "out"
    seen: list[Progress] = []
    built = run(path, out, data=corpus, progress=seen.append)
    assert built.reports["t"].macro_f1 > 0.9
    assert seen
    best = [torch.load(out / f"member-{n}" / "best.pt", weights_only=True) for n in (1, 2)]
    last = [torch.load(out / f"member-{n}" / "checkpoint.pt", weights_only=True)["average"] for n in (1, 2)]
    assert any(not torch.equal(best[0][name], best[1][name]) for name in best[0])
    kept = load_file(out / "network" / "network.safetensors")
    for name, mean in mean_weights([*best, *last]).items():
        assert torch.allclose(kept[name], mean), name


def test_a_second_stage_goes_on_from_the_first_and_part_of_the_way_back(
    recipe: Recipe, corpus: Path, tmp_path: Path
) -> None:
    path, out = write_recipe(replace(recipe, members=(1, 2)), tmp_path), tmp_path / "out"
    path.write_text(path.read_text() + "\n[finish]\nweights = {s = 0.5}\nkeep = 0.25\n", encoding="utf-8")
    seen: list[Progress] = []
    built = run(path, out, data=corpus, progress=seen.append)
    assert built.reports["t"].macro_f1 > 0.9
    assert {p.stage for p in seen} == {1, 2}
    first, kept = (load_file(out / name / "network.safetensors") for name in ("first", "network"))
    ends = [torch.load(out / "finish" / f"member-{n}" / "best.pt", weights_only=True) for n in (1, 2)]
    for name, second in mean_weights(ends).items():
        assert torch.allclose(kept[name], 0.25 * first[name] + 0.75 * second, atol=1e-6), name
    assert "| 1, then 0.5 |" in (built.folder / "card.md").read_text(encoding="utf-8")
    again = run(path, out, data=corpus, resume=True)
    assert again.fields["metrics"]["t"]["confusion"] == built.fields["metrics"]["t"]["confusion"]
    assert torch.equal(load_file(out / "network" / "network.safetensors")[name], kept[name])


def test_a_second_stage_without_anything_to_train_on_is_refused_at_once(
    recipe: Recipe, corpus: Path, tmp_path: Path
) -> None:
    path, out = write_recipe(recipe, tmp_path), tmp_path / "out"
    path.write_text(path.read_text() + "\n[finish]\nweights = {s = 0.0}\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="second stage has nothing"):
        run(path, out, data=corpus)
    assert not out.exists()


def test_a_member_that_fails_ends_the_run(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    path = write_recipe(replace(recipe, members=(1, 2)), tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "member-2").write_text("in the way", encoding="utf-8")
    with pytest.raises(FileExistsError):
        run(path, tmp_path / "out", data=corpus)


def test_a_recipe_goes_on_from_the_network_of_another(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    run(write_recipe(recipe, tmp_path), tmp_path / "first", data=corpus, threads=1)
    further = replace(recipe, start="../first/network", encoder_rate=0.0, head_rate=0.0, epochs=1)
    again = run(write_recipe(further, tmp_path), tmp_path / "second", data=corpus, threads=1)
    assert again.reports["t"].macro_f1 > 0.9
    with pytest.raises(InvalidInput, match="Cannot start from"):
        run(write_recipe(replace(further, start="../none"), tmp_path), tmp_path / "third", data=corpus)


def test_a_split_that_shares_texts_is_also_measured_on_those_it_does_not_share(
    recipe: Recipe, corpus: Path, tmp_path: Path
) -> None:
    shared = replace(recipe.sets[0], overlap=True)
    (seen,) = recipe.tests
    built = run(
        write_recipe(
            replace(recipe, sets=(shared,), tests=(replace(seen, path=shared.path), seen)), tmp_path
        ),
        tmp_path / "out",
        data=corpus,
    )
    assert built.reports["t"].n > built.reports["t-unseen"].n > 0
    card = (built.folder / "card.md").read_text(encoding="utf-8")
    assert "was trained on" not in card
    assert "`…-unseen`" in card


def test_a_batch_in_parts_moves_the_weights_as_the_whole_does(
    recipe: Recipe, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = []
    for name, tokens in (("whole", 10_000), ("parts", 40)):
        monkeypatch.setattr("kiosque.polarity.train.loop.TOKENS_AT_ONCE", tokens)
        exact = replace(recipe, bfloat16=False, epochs=1, evaluations=1)
        trainer, mixer, heldout = make_trainer(exact, corpus, tmp_path / name)
        for module in trainer.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        trainer.fit(mixer, heldout)
        ends.append(trainer.average)
    start = dict(make_trainer(exact, corpus, tmp_path / "start")[0].model.named_parameters())
    for key, value in ends[0].items():
        torch.testing.assert_close(ends[1][key], value, rtol=0, atol=3e-4)
    assert max(float((value - start[key]).abs().max()) for key, value in ends[0].items()) > 3e-3


def test_a_checkpoint_of_another_recipe_is_refused(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    trainer, mixer, heldout = make_trainer(replace(recipe, epochs=1), corpus, tmp_path)
    assert not trainer.resume()
    trainer.fit(mixer, heldout)
    other, _, _ = make_trainer(replace(recipe, epochs=2), corpus, tmp_path)
    with pytest.raises(InvalidInput, match="another recipe"):
        other.resume()


def test_training_ends_early_when_nothing_gets_better(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    still = replace(recipe, encoder_rate=0.0, head_rate=0.0, patience=2, epochs=50)
    trainer, mixer, heldout = make_trainer(still, corpus, tmp_path)
    state = trainer.fit(mixer, heldout)
    assert len(state.history) == 3


@pytest.fixture
def exported(
    recipe: Recipe, corpus: Path, tmp_path: Path
) -> tuple[TargetClassifier, Tokenizer, list[Sample], Path]:
    trainer, mixer, heldout = make_trainer(recipe, corpus, tmp_path)
    trainer.fit(mixer, heldout)
    export_float(trainer.model, trainer.tokenizer, tmp_path / "float")
    return trainer.model, trainer.tokenizer, heldout, tmp_path


def test_the_exported_network_is_the_trained_one_and_int8_is_close(
    exported: tuple[TargetClassifier, Tokenizer, list[Sample], Path],
) -> None:
    model, tokenizer, heldout, folder = exported
    texts = [s.text for s in heldout]
    expected = predict(model, tokenizer, heldout)
    scorer = Scorer(folder / "float", max_tokens=64)
    assert np.abs(scorer.logits(texts) - expected).max() < 1e-3
    (folder / "int8").mkdir()
    quantise(
        folder / "float" / "model.onnx", folder / "int8" / "model.onnx", tokenizer=tokenizer, texts=texts[:20]
    )
    tokenizer.save(str(folder / "int8" / "tokenizer.json"))
    labels = np.array([s.label for s in heldout])
    rounded = Scorer(folder / "int8", max_tokens=64).logits(texts)
    assert abs(macro_f1(labels, rounded.argmax(1)) - macro_f1(labels, expected.argmax(1))) <= 0.05
    assert (folder / "int8" / "model.onnx").stat().st_size < (folder / "float" / "model.onnx").stat().st_size


def test_layers_may_all_stay_in_fp32_and_without_texts_nothing_is_quantised(
    exported: tuple[TargetClassifier, Tokenizer, list[Sample], Path],
) -> None:
    _, tokenizer, heldout, folder = exported
    source, target = folder / "float" / "model.onnx", folder / "kept.onnx"
    quantise(source, target, tokenizer=tokenizer, texts=[heldout[0].text], keep_float=["MatMul"])
    kinds = [node.op_type for node in onnx.load(str(target)).graph.node]
    assert "MatMul" in kinds
    assert "MatMulInteger" not in kinds
    with pytest.raises(InvalidInput, match="takes texts"):
        quantise(source, target, tokenizer=tokenizer, texts=[])


def test_pruning_the_vocabulary_changes_nothing_for_the_words_that_stay(encoder: Path) -> None:
    texts = [f"{PLACEHOLDER} meets the board", "okafor blames lindqvist"]
    whole, tokens = build_classifier(str(encoder), seed=1, freeze_embeddings=True)
    pruned, fewer = build_classifier(str(encoder), seed=1, freeze_embeddings=True, vocabulary=48, texts=texts)
    samples = [Sample(text, 0) for text in texts]
    assert fewer.get_vocab_size() < tokens.get_vocab_size()
    assert np.allclose(predict(whole, tokens, samples), predict(pruned, fewer, samples), atol=1e-5)


def test_other_families_of_encoders_train_and_export_too(encoder: Path, tmp_path: Path) -> None:
    """An Electra, whose embeddings are narrower than its layers."""
    from transformers import ElectraConfig, ElectraModel

    tokenizer = (encoder / "tokenizer.json").read_text(encoding="utf-8")
    config = ElectraConfig(
        vocab_size=len(json.loads(tokenizer)["model"]["vocab"]),
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    ElectraModel(config).save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
    model, pieces = build_classifier(str(tmp_path), seed=1, freeze_embeddings=True)
    assert export_float(model, pieces, tmp_path / "float").exists()


def test_an_encoder_that_is_not_there_is_invalid_input(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="encoder"):
        build_classifier(str(tmp_path / "none"), seed=1, freeze_embeddings=True)


def test_the_rate_rises_and_falls() -> None:
    rates = [schedule(step, 100, 0.1) for step in range(100)]
    assert rates[0] < rates[5] < rates[9] == 1
    assert rates[10] > rates[50] > rates[99] > 0


def test_batches_hold_every_sample_once_in_alike_lengths(encoder: Path) -> None:
    _, tokenizer = build_classifier(str(encoder), seed=1, freeze_embeddings=True)
    samples = [Sample("board " * (1 + i % 30) + PLACEHOLDER, i % 3) for i in range(100)]
    batches = make_batches(samples, tokenizer, 8, "1")
    assert sum(len(labels) for _, _, labels in batches) == 100
    lengths = [mask.sum(1) for _, mask, _ in batches]
    assert max(int(each.max() - each.min()) for each in lengths) <= 3
    assert all(
        0 <= mask.shape[1] - each.max() < 8 for (_, mask, _), each in zip(batches, lengths, strict=True)
    )
    again = make_batches(samples, tokenizer, 8, "1")
    assert all(torch.equal(a[0], b[0]) for a, b in zip(batches, again, strict=True))
