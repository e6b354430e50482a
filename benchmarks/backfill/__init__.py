"""Reading all that other systems had before, while they go on."""
