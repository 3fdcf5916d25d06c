"""The rules of 微信客服: sessions and their states, the 5 messages in 48 hours, codes, what each side may do."""
