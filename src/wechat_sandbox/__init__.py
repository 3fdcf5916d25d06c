"""A simulated WeCom (企业微信) with 微信客服, its callbacks, a phone to play the customer, and a language model.

Built from the published API facts alone; it knows nothing of the product it is used to test.
"""
