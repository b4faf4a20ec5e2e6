"""No model: readers see the sentence that domain/extractive.py picks from the abstract."""

from paperpost.enrich.answers import Skip
from paperpost.enrich.prompt import Request


class Extractive:
    """Adds nothing to a paper, so that its announcement is not held back."""

    translates = False
    model = "extractive"

    def enrich(self, request: Request) -> Skip:  # noqa: ARG002  nothing to ask
        """Skip: an extract is no translation."""
        return Skip("extractive")
