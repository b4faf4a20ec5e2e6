"""Pieces: parts of a letter that are rendered and transfer-encoded once, and then only joined."""

import binascii
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Piece:
    """
    A run of whole lines of a letter, as HTML and as text, with both encoded for the wire.

    `size`: bytes that the decoded HTML has, its line ends being CRLF.
    """

    html: str
    text: str
    html_encoded: bytes
    text_encoded: bytes
    size: int

    @classmethod
    def of(cls, html: str, text: str) -> Self:
        """The piece of *html* and *text*, each empty or ending with a line feed."""
        return cls(
            html,
            text,
            _quoted_printable(html),
            _quoted_printable(text),
            len(html.encode()) + html.count("\n"),
        )

    def text_only(self) -> "Piece":
        """The same for the text part alone."""
        return Piece("", self.text, b"", self.text_encoded, 0)


def _quoted_printable(text: str) -> bytes:
    """
    *text* in the encoding of RFC 2045, section 6.7, lines of at most 76 characters ended by CRLF.

    Encoded runs of whole lines can be joined: no soft line break crosses their edges.
    """
    if text and not text.endswith("\n"):
        raise ValueError("a piece ends with its last line")
    return binascii.b2a_qp(text.encode(), istext=True).replace(b"\n", b"\r\n")
