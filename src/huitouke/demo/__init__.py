"""`huitouke demo`: PostgreSQL, the simulated WeChat and the server, with a demo merchant in them, as one command."""
