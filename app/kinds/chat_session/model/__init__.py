"""What a chat session and its topic are, and the rules that hold for them; plain Python."""
