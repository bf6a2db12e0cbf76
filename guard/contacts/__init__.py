"""Reaching a customer without showing the address: mail, calls, messages; and the merge notice."""

from guard.contacts.opening import Contacts, open_contacts
from guard.contacts.smtp import SmtpChannel
from guard.contacts.webhook import WebhookChannel

__all__ = ["Contacts", "SmtpChannel", "WebhookChannel", "open_contacts"]
