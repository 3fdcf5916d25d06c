"""What benchmarks share: options, report, PostgreSQL, data, processes, memory."""
