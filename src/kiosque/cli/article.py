"""`kiosque article`: what came in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Csv, Json, JsonLines, choose_format, emit_object, emit_rows
from kiosque.core.polarity import Polarity

app = typer.Typer(add_completion=False, no_args_is_help=True, help="What came in: list, show.")

Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


@app.command("list")
def list_articles(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="Words to look for in headline and abstract.")] = "",
    entity: Annotated[
        list[str] | None, typer.Option(help="Only articles that name this entity; may be repeated.")
    ] = None,
    polarity: Annotated[Polarity | None, typer.Option(help="Only articles of this polarity.")] = None,
    source: Annotated[str | None, typer.Option()] = None,
    since: Day = None,
    until: Day = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    as_json: Json = False,
    as_jsonl: JsonLines = False,
    as_csv: Csv = False,
) -> None:
    """List articles, newest first, with whom they name and how they speak of them."""
    from kiosque.store import articles, mentions

    where = articles.ArticleFilter(
        entities=tuple(entity or ()),
        polarity=polarity,
        source=source,
        date_from=since.date() if since else None,
        date_to=until.date() if until else None,
        query=query,
    )
    with house_of(ctx) as house, house.migrated.read() as tx:
        found = articles.page(tx, where, limit=limit).items
        named = mentions.of_articles(tx, [a.pk for a in found])
    rows = [
        {
            "id": stored.id,
            "published": stored.article.published_at.date().isoformat(),
            "headline": stored.article.headline,
            "mentions": [
                f"{m.entity_name} ({m.mention.polarity or m.mention.outcome})" for m in named[stored.pk]
            ],
        }
        for stored in found
    ]
    emit_rows(rows, choose_format(as_json, as_jsonl, as_csv))


@app.command()
def show(ctx: typer.Context, name: Annotated[str, typer.Argument(help="An article's id or key.")]) -> None:
    """Print one article with its mentions and its books."""
    from kiosque.store import articles, mentions, recommendations

    with house_of(ctx) as house, house.migrated.read() as tx:
        stored = articles.get(tx, name)
        named = mentions.of_articles(tx, [stored.pk])[stored.pk]
        shelf = recommendations.of_articles(tx, [stored.pk]).get(stored.pk)
    books: list[dict[str, Any]] = [
        {"title": r.book.title, "author": r.book.author, "score": r.score, "because": r.reasons.sentence}
        for r in (shelf.recommendations if shelf else ())
    ]
    people = [
        {
            "entity": m.entity_id,
            "name": m.entity_name,
            "polarity": m.mention.polarity,
            "probabilities": m.mention.probabilities,
        }
        for m in named
    ]
    emit_object({"id": stored.id, "article": stored.article, "mentions": people, "books": books})
