"""The words behind one score, as a piece of a page: the page of a person fetches them when they come into view."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from kiosque.core.errors import NotFound
from kiosque.store import articles, entities, mentions
from kiosque.web.explained import explanations_of
from kiosque.web.language import gettext
from kiosque.web.render import house, page_headers, templates

router = APIRouter()


@router.get("/articles/{article_id}/words")
def words(request: Request, article_id: str, of: str = "") -> HTMLResponse:
    """NotFound where the article does not name the entity `of`."""
    api = house(request)
    with api.database.read() as tx:
        stored = articles.get(tx, article_id)
        named = mentions.of_articles(tx, [stored.pk])[stored.pk]
        entity = entities.of_ids(tx, [of]).get(of)
    mention = next((each for each in named if each.entity_id == of), None)
    if entity is None or mention is None:
        raise NotFound(gettext("The article does not name “%(name)s”.", name=of[:200]))
    found = explanations_of(request).words(api, stored, entity, mention)
    html = templates().get_template("words.html").render(words=found)
    return HTMLResponse(html, headers=page_headers())
