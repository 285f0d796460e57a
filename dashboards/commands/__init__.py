"""What `sixkeys.py` calls: options, steps that commands share, commands, what a terminal shows, the schedule."""
