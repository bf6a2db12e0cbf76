"""Calls and messages through a system that takes webhooks: telephony, CTI, a message gateway.

It gets the address, the reference under which answers may come back, who asked, and the text; it
answers with its own id. The format is in `docs/contacts.md`.
"""

from guard.contacts.signed_post import SignedPost
from guard.errors import NotDeliveredError
from guard.ports import Message

# An address that is longer, or holds what nobody can dial or type, is no address.
MAX_ADDRESS = 254


class WebhookChannel:
    """Implements `ports.ContactChannel` over a signed webhook."""

    def __init__(self, name: str, post: SignedPost) -> None:
        """Deliver as channel `name` through `post`."""
        self.name = name
        self._post = post

    async def deliver(self, address: str, message: Message) -> str:
        """See `ports.ContactChannel.deliver`."""
        if not 0 < len(address) <= MAX_ADDRESS or not address.isprintable():
            raise NotDeliveredError("the address on file is none: correct it in the source")
        return await self._post.send(
            {
                "channel": self.name,
                "to": address,
                "reference": message.reference,
                "sender": message.sender,
                "subject": message.subject,
                "text": message.text,
            }
        )

    async def close(self) -> None:
        """Give back connections."""
        await self._post.close()
