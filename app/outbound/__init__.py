"""Requests to other servers, bounded, and only to addresses that may be reached."""

from app.outbound.addresses import Network
from app.outbound.client import Answer, OutboundClient, Sent
from app.outbound.faults import OutboundCode, OutboundFault

__all__ = ["Answer", "Network", "OutboundClient", "OutboundCode", "OutboundFault", "Sent"]
