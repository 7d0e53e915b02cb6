"""Who may act: people who sign in, their roles per conference, and the trail of what they did."""
