"""What a provider may give back: an answer not yet believed, a skip, or one of two errors."""

from collections.abc import Mapping
from dataclasses import dataclass

from paperpost.domain.errors import PaperpostError
from paperpost.domain.spending import Tokens

_NOTHING = Tokens()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A model's untrusted output: *fields* as it sent them; *tokens* None if it counts none."""

    fields: Mapping[str, object]
    tokens: Tokens | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """No answer, and that is as it should be: *reason* names why."""

    reason: str


class TransientProviderError(PaperpostError):
    """
    The provider is throttled, slow, down or denies us, which says nothing of the paper.

    The same request may succeed later; `retry_after_s` is how long it asks to wait, 0 if it does
    not say. `tokens`: what it has cost, None if nobody knows: a call that was given up may be paid.
    """

    def __init__(
        self, problem: str, *, retry_after_s: int = 0, tokens: Tokens | None = _NOTHING
    ) -> None:
        self.retry_after_s, self.tokens = retry_after_s, tokens
        super().__init__(problem)


class RefusedByProviderError(PaperpostError):
    """
    The provider will not answer this request, or did not finish; *reason* says which.

    `tokens`: what an answer that cannot be used has cost, None if it counts none.
    """

    def __init__(self, reason: str, *, tokens: Tokens | None = None) -> None:
        self.reason, self.tokens = reason, tokens
        super().__init__(f"no enrichment: {reason}")
