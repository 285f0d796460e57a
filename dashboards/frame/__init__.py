"""What every page shares: the pages that there are, the view in the address, the facts, templates, who sees what."""
