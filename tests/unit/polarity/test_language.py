"""English or not: headlines of a few words, made up for this test."""

from __future__ import annotations

import pytest

from kiosque.polarity.language import is_english


@pytest.mark.parametrize(
    "text",
    [
        "Halloran Leads in Ohio",
        "U.S.-Backed Forces Strike Pro-Halloran Militia",
        "S.U.V. Sales Fall; V.C.’s Shrug",
        "Merkel, Sarkozy, Okafor",
        "De La Cruz vs. Van den Berg",
        "Comme Chez Soi Reopens in Brussels, and the Critics Are Back",
        "Ménage à Deux: The Senator and the Lobbyist",
        "Co-Founder Quits",
        "1860",
        "",
        "TOKYO (東京) MAYOR QUITS OVER THE HARBOUR DEAL",
    ],
)
def test_passes_english_names_and_silence(text: str) -> None:
    assert is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "Der Bürgermeister ist nicht mehr im Amt",
        "Le maire démissionne après une nuit de débats sur le port",
        "El alcalde dimite tras una noche de debate en la ciudad",
        "O prefeito não vai mais disputar a eleição em São Paulo",
        "Il sindaco non si ricandida: ecco perché",
        "De burgemeester wil niet meer, maar de raad wel",
        "Borgmästaren avgår efter en lång natt och det är inte över",
        "Мэр уходит в отставку",
        "市长辞职",
        "رئيس البلدية يستقيل",
        "Δήμαρχος παραιτείται",
    ],
)
def test_refuses_other_languages(text: str) -> None:
    assert not is_english(text)


def test_the_declared_language_decides_only_where_the_text_is_silent() -> None:
    assert not is_english("Halloran triumphiert", "de-AT")
    assert is_english("Halloran triumphiert", "en")
    assert is_english("Halloran wins the vote in Ohio", "fr")
    assert not is_english("Le maire démissionne après une nuit de débats sur le port", "en")
