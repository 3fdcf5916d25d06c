"""`python -m wechat_sandbox`."""

from wechat_sandbox.cli import main

main()
