"""The view of a running system in a terminal: a live screen, or plain lines without one."""
