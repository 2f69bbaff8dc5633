"""The words for values of our own short lists: what the code calls `no_mention` reads otherwise on a page.

Shown by the filter `term`. An adjective of tone goes with "tone" or "polarity" in languages where that matters.
"""

from __future__ import annotations

from kiosque.web.language import N_, gettext

TERMS = {
    # polarities
    "negative": N_("negative"),
    "neutral": N_("neutral"),
    "positive": N_("positive"),
    # outcomes of scoring
    "scored": N_("scored"),
    "no_mention": N_("not named so"),
    "not_english": N_("not in English"),
    "too_long": N_("too long"),
    # kinds of entities
    "person": N_("person"),
    "party": N_("party"),
    "organisation": N_("organisation"),
    "place": N_("place"),
    # stretches of time
    "day": N_("day"),
    "week": N_("week"),
    "month": N_("month"),
    "quarter": N_("quarter"),
    "year": N_("year"),
    "decade": N_("decade"),
    # alerts
    "volume": N_("articles that name them"),
    "negative_share": N_("the share of negative articles"),
    "net": N_("net polarity"),
    "threshold": N_("passes a limit"),
    "spike": N_("leaves what is usual"),
    "above": N_("upwards"),
    "below": N_("downwards"),
    "at_once": N_("at once"),
    "daily": N_("once a day"),
    "quiet": N_("quiet"),
    "fires": N_("fires"),
    "silent": N_("silent"),
    "thin": N_("too few articles"),
    "young": N_("too little history"),
    "open": N_("not over yet"),
    "webhook": N_("webhook"),
    "email": N_("e-mail"),
    "waiting": N_("waiting"),
    "delivered": N_("delivered"),
    "dead": N_("given up"),
    # parts of an article
    "headline": N_("headline"),
    "abstract": N_("abstract"),
    # parts of a dead letter's and a work's life
    "running": N_("running"),
    "done": N_("done"),
    "failed": N_("failed"),
    "cancelled": N_("stopped"),
    "broken_off": N_("broken off: its process ended. Started again, it goes on."),
    # long work
    "rescore": N_("Articles that the version which answers has not read"),
    "rematch": N_("Articles that an older watch list has read"),
    "backfill": N_("Archive of the New York Times"),
    "training": N_("Training of a polarity version"),
    "since": N_("since"),
    "first": N_("from"),
    "last": N_("to"),
    "recipe": N_("recipe"),
    "promote": N_("let it answer:"),
    "resume": N_("go on:"),
    # processes
    "up": N_("Everything in one process"),
    "web": N_("The web process"),
    "producer": N_("The producer"),
    "consumer": N_("A consumer"),
    # what somebody may
    "read": N_("read"),
    "write": N_("write, which includes reading"),
    "admin": N_("administer, which includes everything"),
    # where a setting comes from
    "default": N_("default"),
    "environment": N_("environment"),
    "file": N_("file"),
    "command line": N_("command line"),
    # drift
    "confidence": N_("mean probability of the answer"),
    "unknown_tokens": N_("unknown word pieces"),
    "too_few": N_("too few to say"),
    "steady": N_("no"),
    "moved": N_("moved"),
    # models
    "books": N_("books"),
    "polarity": N_("polarity"),
    "champion": N_("champion"),
    "challenger": N_("challenger"),
    # parties of the elections that ship
    "Democratic": N_("Democratic"),
    "Republican": N_("Republican"),
    "Democratic-Republican": N_("Democratic-Republican"),
    "Libertarian": N_("Libertarian"),
    "Socialist": N_("Socialist"),
    "Prohibition": N_("Prohibition"),
    "Independent": N_("Independent"),
    "Federalist": N_("Federalist"),
    "Whig": N_("Whig"),
    "Green": N_("Green"),
    "Socialist Labor": N_("Socialist Labor"),
    "Progressive": N_("Progressive"),
    "Populist": N_("Populist"),
    "Liberal Republican": N_("Liberal Republican"),
    "Greenback": N_("Greenback"),
    "Reform": N_("Reform"),
    "National Republican": N_("National Republican"),
    "Free Soil": N_("Free Soil"),
    "American Independent": N_("American Independent"),
    "Union": N_("Union"),
    "Union Labor": N_("Union Labor"),
    "Straight-Out Democratic": N_("Straight-Out Democratic"),
    "States' Rights Democratic": N_("States' Rights Democratic"),
    "Social Democratic": N_("Social Democratic"),
    "National Democratic": N_("National Democratic"),
    "Independence": N_("Independence"),
    "Farmer-Labor": N_("Farmer-Labor"),
    "Constitutional Union": N_("Constitutional Union"),
    "Communist": N_("Communist"),
    "Citizens": N_("Citizens"),
    "Anti-Masonic": N_("Anti-Masonic"),
    "American (Know-Nothing)": N_("American (Know-Nothing)"),
    # titles of errors
    "Invalid input": N_("Invalid input"),
    "Invalid settings": N_("Invalid settings"),
    "Not found": N_("Not found"),
    "Not authenticated": N_("Not authenticated"),
    "Not allowed": N_("Not allowed"),
    "Conflict": N_("Conflict"),
    "Too large": N_("Too large"),
    "Precondition failed": N_("Precondition failed"),
    "The database does not fit this version": N_("The database does not fit this version"),
    "No model": N_("No model"),
    "Corrupt model": N_("Corrupt model"),
    "Try again later": N_("Try again later"),
    "Too many requests": N_("Too many requests"),
    "Source unavailable": N_("Source unavailable"),
    "Broker unavailable": N_("Broker unavailable"),
    "Database unavailable": N_("Database unavailable"),
    "Predict unavailable": N_("Predict unavailable"),
    "Receiver unavailable": N_("Receiver unavailable"),
    # what HTTP calls them
    "Bad Request": N_("Bad Request"),
    "Not Found": N_("Not Found"),
    "Method Not Allowed": N_("Method Not Allowed"),
    "Unprocessable Entity": N_("Unprocessable Entity"),
    "Internal Server Error": N_("Internal Server Error"),
}


def term(value: object) -> str:
    """`value` in words; one that is on no list of ours stays as it is."""
    words = TERMS.get(str(value))
    return gettext(words) if words else str(value)
