"""Guessing the encoding of bytes that do not say it and are not UTF-8."""

from __future__ import annotations

import codecs
import re

_SAMPLE = 65_536
_HEAD = 400
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}\bencoding\s*=""", re.IGNORECASE)
# In this order. What the text must then hold, and how much of it: other bytes decode without a fault too.
_KANA = re.compile("[\u3041-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_IDEOGRAPH = re.compile("[\u4e00-\u9fa5]")
_EAST_ASIAN = (
    ("euc_jp", _KANA, 0.15),
    ("cp932", _KANA, 0.15),
    ("euc_kr", _HANGUL, 0.9),
    ("gb2312", _IDEOGRAPH, 0.9),
    ("big5", _IDEOGRAPH, 0.9),
    ("gb18030", _IDEOGRAPH, 0.9),
)
_CYRILLIC = ("koi8-r", "windows-1251")
_MOSTLY = 0.5


def undeclared_encoding(data: bytes) -> str | None:
    """The encoding that XML text is to be read in where its parser would not know; None where it will."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head = data[:_HEAD].decode("utf-16", "ignore").encode()
        return None if _DECLARED.match(head) else "utf-16"
    if data.startswith(codecs.BOM_UTF8) or _DECLARED.match(data):
        return None
    return guess_encoding(data)


def guess_encoding(data: bytes) -> str | None:
    """The likely encoding of text that is neither UTF-8 nor declared; None if it is UTF-8 or nothing fits.

    Western text has few letters beyond ASCII. Where most are, it is East Asian if it decodes without a fault into
    enough kana, hangul or ideographs, and Cyrillic if it decodes into letters most of which are small.
    """
    sample = data[:_SAMPLE]
    if _decodes(sample, "utf-8"):
        return None
    letters = re.sub(rb"<[^>]*>|[^A-Za-z\x80-\xff]", b"", sample)
    beyond = sum(byte >= 0x80 for byte in letters)
    if beyond < _MOSTLY * len(letters):
        return "windows-1252"
    for encoding, script, share in _EAST_ASIAN:
        if _has_share(_decoded(sample, encoding), script, share):
            return "gb18030" if encoding == "gb2312" else encoding  # the larger set of the same
    return max(
        _CYRILLIC,
        key=lambda encoding: sum(letter.islower() for letter in letters.decode(encoding, "replace")),
    )


def _has_share(text: str | None, script: re.Pattern[str], share: float) -> bool:
    foreign = sum(character > "\x7f" and character.isalpha() for character in text or "")
    return foreign > 0 and len(script.findall(text or "")) >= share * foreign


def _decoded(sample: bytes, encoding: str) -> str | None:
    """`sample` decoded without a fault, but for a character that is cut off at its end."""
    for cut in range(4):
        try:
            return sample[: len(sample) - cut].decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(sample) - 4:
                return None
    return None


def _decodes(sample: bytes, encoding: str) -> bool:
    return _decoded(sample, encoding) is not None
