"""Who is asking: wallet signatures, Sign-In with Ethereum, sessions."""
