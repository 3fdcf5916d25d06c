"""The simulated WeCom under /cgi-bin: paths, fields, limits and error codes of the published API, no others."""
