"""Machine learning without a website: plain arrays in, plain objects out. No Django, no models, no settings."""
