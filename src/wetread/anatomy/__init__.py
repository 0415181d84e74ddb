"""anatomy: HU volumes in, masks and boxes out."""
