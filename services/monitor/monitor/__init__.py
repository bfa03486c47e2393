"""The monitor: turns the stream of prediction events into counts, percentiles, histograms and drift."""
