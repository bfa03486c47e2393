"""Image bytes in, cat probability out; one event a prediction."""
