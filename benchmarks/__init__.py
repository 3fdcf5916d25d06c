"""What the product achieves, as ratios to named limits and peers; `make bench NAME=…` runs one of the files here."""
