"""The models and rules of chats and topics; plain Python."""
