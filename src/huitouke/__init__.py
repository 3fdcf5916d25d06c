"""Huitouke (回头客): meet, answer, know and bring back the customers of a WeChat merchant."""
