"""What the command line calls: options, steps that commands share, what a terminal shows, the schedule."""
