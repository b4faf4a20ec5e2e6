"""What a reader wants: shown, tried, saved."""

from dataclasses import replace

from aws_lambda_powertools.event_handler import Response

from paperpost import clients
from paperpost.domain.tokens import Purpose
from paperpost.storage.site import SiteBucket
from paperpost.subscribe.forms import RequestError, one_of
from paperpost.subscribe.incoming import begin, count, fields_of, new_router
from paperpost.subscribe.previews import preview
from paperpost.subscribe.routes_signup import move

router = new_router()

# What the buttons of the page send.
ACTIONS = ("save", "preview", "move")


@router.get("/api/preferences/<token>")
def show_preferences(token: str) -> Response[str]:
    """Show the form with what is stored."""
    call = begin(router.current_event)
    return call.preferences_page(call.subscriber(token, Purpose.PREFERENCES), token)


@router.post("/api/preferences/<token>")
def save_preferences(token: str) -> Response[str]:
    """Store the form and show it again; or only show what it would have matched."""
    call = begin(router.current_event)
    subscriber = call.subscriber(token, Purpose.PREFERENCES)
    fields = fields_of(router.current_event)
    action = one_of(fields, "action", ACTIONS, default="save")
    if action == "move":
        return move(call, subscriber, fields)
    wanted = call.preferences(fields, subscriber.preferences)
    if action == "preview":
        site = SiteBucket(clients.s3(), call.settings.site_bucket)
        tried = replace(subscriber, preferences=wanted)
        return call.preferences_page(tried, token, preview=preview(wanted, site))
    if not call.table.put_preferences(subscriber.subscriber_id, wanted):
        raise RequestError("gone")
    count("PreferencesSaved")
    return call.preferences_page(replace(subscriber, preferences=wanted), token, saved=True)
