"""What a network that stages sleep uses: what it loses without a band or a moment."""
