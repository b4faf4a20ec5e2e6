"""Preview: a letter as a reader would get it, made from records, sent to nobody."""

from datetime import datetime

from paperpost.deliver.letters import Imprint, LetterPress, Links
from paperpost.deliver.mime import Envelope, message
from paperpost.domain.errors import InvalidInputError
from paperpost.domain.issues import FrozenIssue
from paperpost.domain.selections import selection
from paperpost.domain.subscribers import Preferences


def preview(
    issue: FrozenIssue,
    preferences: Preferences,
    *,
    imprint: Imprint,
    sender: str,
    now: datetime,
    recipient: str = "reader@example.com",
) -> bytes:
    """
    Return the message that a reader with *preferences* would get of *issue*.

    Its links to leave and to change preferences carry the word `preview` for a token.
    Raises: InvalidInputError: If the issue holds nothing for such a reader.
    """
    picks = selection(issue, preferences)
    if not picks.picks:
        raise InvalidInputError(f"{issue.issue} holds nothing for these preferences")
    links = Links(
        unsubscribe=f"{imprint.site_url}/api/unsubscribe/preview",
        preferences=f"{imprint.site_url}/api/preferences/preview",
        status=f"{imprint.site_url}/status.html",
    )
    letter = LetterPress(issue, imprint).letter(picks, preferences, links, now=now)
    envelope = Envelope(
        sender=sender,
        recipient=recipient,
        subject=letter.subject,
        tags=(("issue", issue.issue), ("subscriber", "preview")),
        date=now,
        list_name=issue.cadence.value,
        unsubscribe_url=links.unsubscribe,
    )
    return message(envelope, letter.pieces)
