"""What can go wrong, one class for each condition that somebody handles."""

from paperpost.domain.text import clean


class PaperpostError(Exception):
    """Base of all errors that Paperpost raises itself; its text is one line for a person."""


class FeedError(PaperpostError):
    """
    A source cannot be believed; nothing of it was stored, so a later poll may retry.

    `source` is the address or file, `said` how the body began: the evidence, for logs. The problem
    may quote what a source said, so it is put on one line.
    """

    def __init__(
        self, source: str, problem: str, *, status: int | None = None, said: str = ""
    ) -> None:
        self.source, self.problem, self.status, self.said = source, clean(problem), status, said
        answer = f" (HTTP {status})" if status is not None else ""
        super().__init__(f"{clean(source)}: {self.problem}{answer}")


class UnavailableError(FeedError):
    """No usable answer: a status but 200, a time-out, a broken connection."""


class RateLimitedError(UnavailableError):
    """The source asks us to come less often."""


class NotAFeedError(FeedError):
    """The body is something else: an HTML page, plain text, another kind of document."""


class DamagedError(FeedError):
    """The body is cut off, not well-formed, or holds less than it counts itself."""


class ErrorFeedError(FeedError):
    """A well-formed answer in which the source itself tells an error."""


class InvalidInputError(PaperpostError):
    """A value from outside does not have the form that is documented for it."""


class RecordError(PaperpostError):
    """A line of a records file is not a record; the text names file and line."""


class ConflictError(PaperpostError):
    """Another writer changed the item in between; reading it anew and trying again may help."""


class BusyError(PaperpostError):
    """A store has no capacity left just now; nothing was lost, and a later try may help."""


class RefusedError(PaperpostError):
    """A candidate cannot be made, or would empty, shrink or set back what readers see."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path} not published: {reason}")
