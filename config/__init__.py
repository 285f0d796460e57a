"""What the user says: settings, targets, golden paths, and the declaration of each metric."""
