"""What touches the disk and the network."""
