"""`kiosque backfill`: past months from an archive."""

from __future__ import annotations

from typing import Annotated

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import DryRun, Json, choose_format, emit_object, say, steps
from kiosque.pipeline.worker import Stop, stop_on_signals

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Fetch past months from an archive.")


@app.callback()
def backfill() -> None:
    """Fetch past months from an archive."""


@app.command()
def nyt(
    ctx: typer.Context,
    first: Annotated[str, typer.Argument(help="First month, YYYY-MM; the archive begins in 1851-09.")],
    last: Annotated[str | None, typer.Argument(help="Last month; the first one without it.")] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Fetch months of the New York Times Archive, one request a month. Broken off, the same command goes on."""
    from kiosque.sources.nyt_archive import Month

    months = Month.parse(first), Month.parse(last or first)
    with house_of(ctx) as house:
        plan = house.backfill.plan(*months)
        say(
            f"{plan.requests} requests are needed, {plan.done} months are done; "
            f"at {plan.per_day} a day that takes {plan.days} day{'' if plan.days == 1 else 's'}."
        )
        if dry_run:
            emit_object(
                {"requests": plan.requests, "done": plan.done, "per_day": plan.per_day, "days": plan.days},
                choose_format(as_json),
            )
            return
        house.sources.nyt  # noqa: B018 - says that there is no key before anything is begun
        rejects = house.settings.data_dir / "rejects" / f"nyt-{months[0]}-{months[1]}.jsonl"
        with stop_on_signals(Stop()) as stop, steps("Archive") as show:
            summary = house.backfill.run(
                *months,
                rejects=rejects,
                stop=stop,
                progress=lambda done, share: show(share, f"{done.read:,} read, {done.new:,} new"),
            )
    emit_object(summary, choose_format(as_json))
    if not summary.complete:
        raise typer.Exit(130)
