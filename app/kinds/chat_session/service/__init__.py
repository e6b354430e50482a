"""What can be done with chats and topics."""
