"""The commands on chats and topics."""
