"""The pages of one team and of one service: their numbers, what happened to them, what covers them."""
