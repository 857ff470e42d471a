"""What a network that stages sleep uses: what it loses when a band, or a while, is taken out."""
