"""`kiosque books`: recommend, list, build, evaluate, import."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import (
    Csv,
    Format,
    Json,
    JsonLines,
    choose_format,
    emit_object,
    emit_rows,
    progress,
    say,
    steps,
)
from kiosque.core.errors import InvalidInput
from kiosque.pipeline.worker import Stop, stop_on_signals

if TYPE_CHECKING:
    from kiosque.core.book import BookQuery
    from kiosque.wiring import House

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Recommend, list, build, evaluate, import."
)


@app.command()
def recommend(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="Any text; - reads it from stdin.")] = "",
    article: Annotated[
        list[str] | None, typer.Option(help="An article's id or key; several are a reader's list.")
    ] = None,
    book: Annotated[str | None, typer.Option(help="A book's key: more like this.")] = None,
    k: Annotated[int, typer.Option("-k", help="How many books at most.")] = 5,
    exclude: Annotated[
        list[str] | None, typer.Option(help="A book's key to leave out, e.g. read already.")
    ] = None,
    language: Annotated[str | None, typer.Option()] = None,
    fiction: Annotated[bool | None, typer.Option("--fiction/--non-fiction")] = None,
    since: Annotated[int | None, typer.Option(help="First year of publication.")] = None,
    until: Annotated[int | None, typer.Option(help="Last year of publication.")] = None,
    contemporary: Annotated[
        bool, typer.Option("--contemporary", help="Only books that existed when the article came out.")
    ] = False,
    min_score: Annotated[float | None, typer.Option()] = None,
    reader: Annotated[
        str | None, typer.Option(help="A user's name: nothing that they marked as read already.")
    ] = None,
    as_json: Json = False,
    as_jsonl: JsonLines = False,
    as_csv: Csv = False,
) -> None:
    """Find books for a text, an article, a reader's list of articles, or a book."""
    from dataclasses import replace

    text = _given(text)
    with house_of(ctx) as house:
        query = _question(house, text, article or [], book, contemporary)
        shelf = house.predictor.books(
            [
                replace(
                    query,
                    k=k,
                    exclude=frozenset(exclude or ()) | _read_by(house, reader),
                    language=language,
                    fiction=fiction,
                    published_from=since,
                    published_to=until,
                    min_score=min_score,
                )
            ]
        )[0]
    rows = [
        {
            "rank": r.rank,
            "title": r.book.title,
            "author": r.book.author,
            "year": r.book.year,
            "score": r.score,
            "because": r.reasons.sentence,
            "key": r.book.key,
        }
        for r in shelf.recommendations
    ]
    form = choose_format(as_json, as_jsonl, as_csv)
    if form is Format.TABLE:
        # a key is longer than any title; `books list` names it
        rows = [{name: value for name, value in row.items() if name != "key"} for row in rows]
    if rows or form is not Format.TABLE:
        emit_rows(rows, form)
    if shelf.note:
        say(shelf.note)


@app.command("list")
def list_books(
    ctx: typer.Context,
    query: Annotated[
        str, typer.Argument(help="Words to look for in title, author, subjects and description.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    as_json: Json = False,
    as_jsonl: JsonLines = False,
    as_csv: Csv = False,
) -> None:
    """List the books of the catalogue with their keys, by title; with words the best fit first."""
    from kiosque.store import books

    with house_of(ctx) as house, house.migrated.read() as tx:
        found = books.page(tx, query=query, limit=limit).items
    rows = [{"title": b.title, "author": b.author, "year": b.year, "key": b.key} for b in found]
    emit_rows(rows, choose_format(as_json, as_jsonl, as_csv))


@app.command("import")
def import_books(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="JSONL or CSV of books, plain, .gz or .zst.")],
    as_json: Json = False,
) -> None:
    """Read books into the catalogue; editions of one work become one book."""
    from kiosque.pipeline.imports import file_job_id
    from kiosque.sources.catalogue import BookFile

    with house_of(ctx) as house:
        rejects = house.settings.data_dir / "rejects" / f"{path.name}.jsonl"
        with stop_on_signals(Stop()) as stop, steps(f"Importing {path.name}") as show:
            summary = house.importer.run(
                BookFile(path, source="import"),
                job_id=file_job_id(path, "books"),
                kind="books",
                rejects=rejects,
                stop=stop,
                progress=lambda done, share: show(share, f"{done.books:,} books"),
            )
    emit_object(summary, choose_format(as_json))
    if summary.rejected:
        say(f"{summary.rejected:,} were rejected; {rejects} says which and why.")
    say("Take them into service: kiosque books build (a running `kiosque up` does so by itself).")


@app.command()
def build(ctx: typer.Context, as_json: Json = False) -> None:
    """Index the catalogue, publish it and make it the champion. The same catalogue gives the same version."""
    with house_of(ctx) as house, progress("Books") as advance:
        seen = 0

        def show(done: int, total: int) -> None:
            nonlocal seen
            advance(done - seen, f"{total:,} books")
            seen = done

        built = house.bookshop.build(show)
    emit_object(built, choose_format(as_json))


@app.command()
def evaluate(
    ctx: typer.Context,
    queries: Annotated[
        Path | None, typer.Option(help="JSONL of queries; those that ship without it.")
    ] = None,
    qrels: Annotated[Path | None, typer.Option(help="JSONL of graded judgements.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="File for the report in Markdown.")] = None,
    as_json: Json = False,
) -> None:
    """Measure the recommender and its rivals on judged queries and on what readers read together."""
    from kiosque.books.evaluate import evaluate as measure
    from kiosque.books.evaluation.report import markdown as to_markdown
    from kiosque.testing.paths import datasets
    from kiosque.wiring import shipped_data

    if (queries is None) != (qrels is None):
        raise InvalidInput(
            "Queries and judgements belong together.", hint="Give --queries and --qrels, or neither."
        )
    with house_of(ctx) as house, steps("Measuring") as show:
        data = shipped_data()
        report = measure(
            queries or data / "corpus/books/queries-dev.jsonl",
            qrels or data / "corpus/books/qrels-dev.jsonl",
            demo=data / "demo/books.jsonl",
            encoder=house.bookshop.encoder(),
            datasets=datasets(),
            progress=lambda words: show(None, words),
        )
    text = to_markdown(report)
    if markdown:
        markdown.write_text(text, encoding="utf-8")
    if choose_format(as_json) is Format.JSON:
        emit_object(report)
    else:
        typer.echo(text)


def _given(text: str) -> str:
    """The argument, or what stands in stdin; says so where not all of it will be read."""
    from kiosque.books.asked import MAX_CHARACTERS, readable

    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    if len(text) > MAX_CHARACTERS:
        say(f"The text has {len(text):,} characters; the first {MAX_CHARACTERS:,} are read.")
    return readable(text)


def _read_by(house: House, reader: str | None) -> frozenset[str]:
    """Keys of the books that the user `reader` marked as read already. Raises NotFound for an unknown user."""
    if reader is None:
        return frozenset()
    from kiosque.store import feedback, users

    with house.migrated.read() as tx:
        return feedback.books_read(tx, users.get(tx, reader).name)


def _question(house: House, text: str, names: list[str], book: str | None, contemporary: bool) -> BookQuery:
    """What is asked, out of the one of text, articles and book that is given."""
    from kiosque.core.book import BookQuery, ReadItem
    from kiosque.pipeline.scoring import text_for_books
    from kiosque.store import articles

    given = [bool(text.strip()), bool(names), bool(book)]
    if sum(given) != 1:
        raise InvalidInput("Give a text, or --article, or --book: exactly one of them.")
    if book:
        return BookQuery(book_key=book)
    if not names:
        return BookQuery(text=text)
    with house.migrated.read() as tx:
        read: list[Any] = [articles.get(tx, name).article for name in names]
    day = max(a.published_at for a in read).date().isoformat() if contemporary else None
    if len(read) == 1:
        return BookQuery(text=text_for_books(read[0]), contemporary_on=day)
    items = tuple(ReadItem(text_for_books(a), a.published_at) for a in read)
    return BookQuery(reader=items, contemporary_on=day)
