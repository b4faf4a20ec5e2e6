"""What a provider may give back: an answer not yet believed, a skip, or one of two errors."""

from collections.abc import Mapping
from dataclasses import dataclass

from paperpost.domain.errors import PaperpostError


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A model's untrusted output: *fields* as it sent them, and the tokens that it cost."""

    fields: Mapping[str, object]
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Skip:
    """No answer, and that is as it should be: *reason* names why."""

    reason: str


class TransientProviderError(PaperpostError):
    """The provider is throttled, slow or down; the same request may succeed later."""


class RefusedByProviderError(PaperpostError):
    """The provider will not answer this request, or did not finish; *reason* says which."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"no enrichment: {reason}")
