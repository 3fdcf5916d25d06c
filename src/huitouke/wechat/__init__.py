"""Protocol clients of WeCom (企业微信). They know WeCom's rules and nothing of the product that uses them."""
