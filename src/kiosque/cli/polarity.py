"""`kiosque polarity`: score, explain, evaluate, train."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Format, Json, choose_format, emit_object, emit_rows, say, steps
from kiosque.core.errors import PreconditionFailed

if TYPE_CHECKING:
    from kiosque.core.polarity import ScoringRequest, Target
    from kiosque.polarity.model import PolarityModel
    from kiosque.wiring import House

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Score, explain, evaluate, train.")

Text = Annotated[str, typer.Argument(help="A headline or a few sentences.")]
Targets = Annotated[
    list[str], typer.Option("--target", "-t", help="Whom to score, as the text names them; may be repeated.")
]
VersionId = Annotated[str | None, typer.Option("--model", help="A version's id; the champion without it.")]


@app.command()
def score(
    ctx: typer.Context,
    text: Text,
    target: Targets,
    any_language: Annotated[bool, typer.Option(help="Score text that is not English, too.")] = False,
    as_json: Json = False,
) -> None:
    """Say how a text speaks of somebody."""
    request = _request(text, target)
    with house_of(ctx) as house:
        batch = house.predictor.polarity([request], any_language=any_language)
    rows = [
        {
            "target": one.target_id,
            "polarity": one.polarity or one.outcome,
            **(
                asdict(one.probabilities)
                if one.probabilities
                else {"negative": None, "neutral": None, "positive": None}
            ),
        }
        for one in batch.scores[0]
    ]
    emit_rows(rows, choose_format(as_json))


@app.command()
def explain(
    ctx: typer.Context,
    text: Text,
    target: Annotated[str, typer.Option("--target", "-t")],
    as_json: Json = False,
) -> None:
    """Show which words made a score: orange ones more negative, blue ones more positive."""
    request = _request(text, [target])
    with house_of(ctx) as house:
        words = house.predictor.explain(request, request.targets[0])
    if choose_format(as_json) is not Format.TABLE:
        emit_rows([asdict(word) for word in words], Format.JSON)
        return
    from rich.console import Console
    from rich.text import Text as Line

    strongest = max((abs(word.contribution) for word in words), default=0.0) or 1.0
    line = Line()
    for word in words:
        line.append(word.word, style=_style(word.contribution / strongest)).append(" ")
    Console().print(line)
    for word in sorted(words, key=lambda word: -abs(word.contribution))[:5]:
        Console().print(f"  {word.contribution:+.3f}  {word.word}", highlight=False, markup=False)


@app.command()
def evaluate(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="JSONL of {text, mentions: [{target, polarity}]} and its relatives.")
    ],
    model: VersionId = None,
    compare: Annotated[str | None, typer.Option(help="Another version, for a paired comparison.")] = None,
    reader: Annotated[
        str, typer.Option(help="auto, or the name of a reader (newsmtsc, sen, sentfin).")
    ] = "auto",
    as_json: Json = False,
) -> None:
    """Measure a version on labelled texts: macro-F1 with interval, calibration, name swaps, speed."""
    from kiosque.polarity.evaluate import compare as compare_models
    from kiosque.polarity.evaluate import evaluate as measure
    from kiosque.polarity.examples import read_examples

    examples = read_examples(file, reader)
    with house_of(ctx) as house:
        chosen = _load(house, model)
        report: Any = (
            measure(chosen, examples)
            if compare is None
            else compare_models(chosen, _load(house, compare), examples)
        )
    emit_object(report.to_dict(), choose_format(as_json))


@app.command()
def train(
    ctx: typer.Context,
    recipe: Annotated[str, typer.Argument(help="A recipe file, or the name of one that ships.")] = "default",
    out: Annotated[
        Path | None, typer.Option(help="Folder of checkpoints; in the data folder without it.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder that {data} in the recipe stands for.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    promote: Annotated[
        bool, typer.Option("--promote", help="Make it champion if it is not worse on the frozen sets.")
    ] = False,
) -> None:
    """Train a version by a recipe and publish it. Needs the extra polarity-train."""
    try:
        from kiosque.polarity.train.run import run
    except ImportError as error:
        raise PreconditionFailed(
            f"Training needs {error.name}.", hint="Install it: pip install 'kiosque[polarity-train]'"
        ) from error
    from kiosque.cli.training import publish
    from kiosque.wiring import shipped_data

    with house_of(ctx) as house, steps("Training") as show:
        show(None, "reading the sets")
        folder = out or house.settings.data_dir / "training" / Path(recipe).stem
        build = run(
            Path(recipe),
            folder,
            data=data or shipped_data(),
            resume=resume,
            threads=house.settings.threads,
            progress=lambda p: show(
                p.step / max(p.steps, 1), f"stage {p.stage}, epoch {p.epoch}, loss {p.loss:.3f}"
            ),
        )
        for line in publish(house, build, recipe, data or shipped_data(), promote=promote):
            say(line)


def _request(text: str, names: list[str]) -> ScoringRequest:
    from kiosque.core.polarity import ScoringRequest, Target

    targets: tuple[Target, ...] = tuple(Target(name, name) for name in names)
    return ScoringRequest(text, targets=targets)


def _load(house: House, version: str | None) -> PolarityModel:
    from kiosque.polarity.model import load

    store = house.model_store
    found = store.get("polarity", version) if version else store.champion("polarity")
    store.verify(found)
    return load(found.folder, threads=house.settings.threads)


def _style(share: float) -> str:
    if abs(share) < 0.1:
        return "dim"
    colour = "dark_orange3" if share < 0 else "dodger_blue2"
    return f"bold {colour}" if abs(share) > 0.5 else colour
