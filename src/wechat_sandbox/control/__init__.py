"""The control API under /sandbox/: all that the phone and the employee's client do, and the switches."""
