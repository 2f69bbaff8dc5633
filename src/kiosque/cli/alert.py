"""`kiosque alert`: rules that watch someone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Csv, Json, JsonLines, choose_format, emit_object, emit_rows, say
from kiosque.core.alert import AlertRule, Digest, Kind, Measure, Side, Window

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Rules that watch someone: list, add, preview, test, remove.",
)

AlertId = Annotated[int, typer.Argument(help="The id that `list` shows.")]
Entity = Annotated[str, typer.Argument(help="Id of the entity, e.g. `abraham-lincoln`.")]
MeasureOption = Annotated[Measure, typer.Option(help="What is watched.")]
KindOption = Annotated[Kind, typer.Option(help="Against a limit, or against its own history.")]
SideOption = Annotated[Side, typer.Option(help="On which side of the limit it fires.")]
Limit = Annotated[
    float, typer.Option(help="Articles, a share, or for a spike standard deviations from 2 to 50.")
]
WindowOption = Annotated[Window, typer.Option(help="In UTC; weeks begin on Monday.")]
Least = Annotated[int, typer.Option(min=1, help="A window with fewer articles never fires.")]
CoolDown = Annotated[int, typer.Option(min=0, help="Windows that are silent after one that fired.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


@app.command("list")
def list_alerts(
    ctx: typer.Context, as_json: Json = False, as_jsonl: JsonLines = False, as_csv: Csv = False
) -> None:
    """List them with when each last fired."""
    from kiosque.pipeline.mail import masked
    from kiosque.pipeline.webhook import host_of
    from kiosque.store import alert_events, alerts

    with house_of(ctx) as house, house.migrated.read() as tx:
        fired = alert_events.last_by_alert(tx)
        rows = [
            {
                "id": each.id,
                "name": each.name,
                "entity": each.rule.entity_id,
                "measure": each.rule.measure,
                "kind": each.rule.kind,
                "side": each.rule.side,
                "limit": each.rule.limit,
                "window": each.rule.window,
                "enabled": each.enabled,
                "webhook": host_of(each.outputs.webhook) if each.outputs.webhook else None,
                "emails": [masked(address) for address in each.outputs.emails],
                "last_fired_at": fired.get(each.id),
            }
            for each in alerts.everything(tx)
        ]
    emit_rows(rows, choose_format(as_json, as_jsonl, as_csv))


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    entity: Entity,
    measure: MeasureOption = Measure.VOLUME,
    kind: KindOption = Kind.SPIKE,
    side: SideOption = Side.ABOVE,
    limit: Limit = 4.0,
    window: WindowOption = Window.WEEK,
    least: Least = 5,
    cool_down: CoolDown = 0,
    webhook: Annotated[str | None, typer.Option(help="Address that takes signed messages.")] = None,
    email: Annotated[list[str] | None, typer.Option(help="Mail address; may be repeated.")] = None,
    digest: Annotated[Digest, typer.Option(help="At once, or once a day.")] = Digest.AT_ONCE,
    as_json: Json = False,
) -> None:
    """Make an alert. The secret of its webhook is printed this once."""
    from kiosque.api.feed_tokens import new_nonce
    from kiosque.store import alerts
    from kiosque.store.alerts import Outputs

    rule = AlertRule(entity, measure, kind, side, limit, window, least, cool_down)
    with house_of(ctx) as house:
        outputs = house.postman.checked(Outputs(webhook, tuple(email or ()), digest))
        with house.migrated.write() as tx:
            made = alerts.add(
                tx,
                name=name,
                rule=rule,
                outputs=outputs,
                by="command line",
                at=house.clock(),
                secret_nonce=new_nonce(),
                feed_nonce=new_nonce(),
            )
        secret = house.postman.secret(made) if made.outputs.webhook else None
    emit_object({"id": made.id, "name": made.name, "webhook_secret": secret}, choose_format(as_json))


@app.command("preview")
def preview_rule(
    ctx: typer.Context,
    entity: Entity,
    measure: MeasureOption = Measure.VOLUME,
    kind: KindOption = Kind.SPIKE,
    side: SideOption = Side.ABOVE,
    limit: Limit = 4.0,
    window: WindowOption = Window.WEEK,
    least: Least = 5,
    cool_down: CoolDown = 0,
    since: Day = None,
    until: Day = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every window, not only those that fire.")
    ] = False,
    as_json: Json = False,
    as_jsonl: JsonLines = False,
    as_csv: Csv = False,
) -> None:
    """Say when a rule would have fired; without days in the two years up to the newest article."""
    from kiosque.pipeline.alert_decision import Verdict
    from kiosque.pipeline.alerts import preview
    from kiosque.store import stats

    rule = AlertRule(entity, measure, kind, side, limit, window, least, cool_down)
    with house_of(ctx) as house, house.migrated.read() as tx:
        today = house.clock().date()
        last = until.date() if until else stats.newest_day(tx) or today
        first = since.date() if since else last - timedelta(days=730)
        readings = preview(tx, rule, since=first, until=last, today=today)
    rows = [
        {
            "first_day": each.start,
            "last_day": each.end,
            "value": each.value,
            "of_articles": each.articles,
            "expected": each.expected,
            "score": each.score,
            "verdict": each.verdict,
        }
        for each in readings
        if everything or each.verdict is Verdict.FIRES
    ]
    emit_rows(rows, choose_format(as_json, as_jsonl, as_csv))
    say(f"{len(readings)} windows with articles from {first} to {last}.")


@app.command("test")
def send_test(ctx: typer.Context, alert_id: AlertId, as_json: Json = False) -> None:
    """Send a test message to every output of an alert, and say what came of it."""
    from kiosque.pipeline.alerts import latest
    from kiosque.store import alerts

    with house_of(ctx) as house:
        with house.migrated.read() as tx:
            alert = alerts.get(tx, alert_id)
            fired = latest(tx, alert, house.clock().date())
        tried = house.postman.try_out(alert, fired)
    rows = [{"channel": each.channel, "target": each.target, "problem": each.problem} for each in tried]
    emit_rows(rows, choose_format(as_json))
    if any(each.problem for each in tried):
        raise typer.Exit(1)


@app.command()
def remove(ctx: typer.Context, alert_id: AlertId) -> None:
    """Remove an alert with all that it fired."""
    from kiosque.store import alerts

    with house_of(ctx) as house, house.migrated.write() as tx:
        alerts.delete(tx, alert_id)
    say(f"Removed {alert_id}.")
