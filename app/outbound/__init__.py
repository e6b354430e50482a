"""Requests and mail to other servers: bounded, and to permitted addresses alone."""

from app.outbound.addresses import Network
from app.outbound.client import Answer, OutboundClient, Sent
from app.outbound.faults import OutboundCode, OutboundFault
from app.outbound.mail import send_mail

__all__ = ["Answer", "Network", "OutboundClient", "OutboundCode", "OutboundFault", "Sent", "send_mail"]
