"""A reader's own data: as a file, or erased."""

from aws_lambda_powertools.event_handler import Response

from paperpost.domain.subscribers import SubscriberStatus
from paperpost.domain.tokens import Purpose, verify_token
from paperpost.subscribe import pages
from paperpost.subscribe.export import profile_of
from paperpost.subscribe.incoming import begin, count, new_router

router = new_router()


@router.get("/api/export/<token>")
def export(token: str) -> Response[str]:
    """Everything that is stored of the reader, as a file."""
    call = begin(router.current_event)
    subscriber = call.subscriber(token, Purpose.PREFERENCES)
    return pages.download(profile_of(subscriber), name="paperpost-profile.json")


@router.post("/api/erase/<token>")
def erase(token: str) -> Response[str]:
    """Remove all that is personal; a keyed hash stays, so that the address is not mailed again."""
    call = begin(router.current_event)
    subscriber_id = verify_token(token, Purpose.PREFERENCES, call.keys, now=call.now)
    subscriber = call.table.get(subscriber_id)
    if call.table.set_status(subscriber_id, SubscriberStatus.ERASED, now=call.now):
        count("SubscribersErased")
    return call.show("erased", subscriber)
